package dev.sluice.iommu;

/// Why a device's access was refused, in terms that all architectures share. The architecture's own
/// code stands beside it.
public enum AbortReason {
  /// The guest's tables have no translation for the address.
  NOT_MAPPED("no translation for the address"),
  /// There is a translation, and it does not allow reads.
  NO_READ("the translation does not allow reads"),
  /// There is a translation, and it does not allow writes.
  NO_WRITE("the translation does not allow writes"),
  /// The tables say nothing about this requester, or block it altogether.
  BLOCKED("the requester is blocked"),
  /// A table entry is malformed, or the memory that should hold it cannot be read.
  BAD_TABLE("a table entry is malformed or unreadable"),
  /// The address has more bits than the requester's address space.
  ADDRESS_WIDTH("the address is beyond the requester's address width"),
  /// The address lies in the architecture's interrupt range, and this is not an interrupt message.
  INTERRUPT_RANGE("the address is in the interrupt range"),
  /// The access would pass the end of the 64-bit address space.
  ADDRESS_WRAP("the access passes the end of the address space"),
  /// The translation leads to an address without memory.
  NO_MEMORY("no memory at the translated address"),
  /// The translation leads to memory that nobody may write.
  READ_ONLY_MEMORY("read-only memory at the translated address"),
  /// An atomic operation whose address is not a multiple of its size.
  MISALIGNED("an atomic operation that is not naturally aligned"),
  /// An atomic operation in memory that has none: its owner may shorten the file behind it, or it
  /// is reached by messages.
  NO_ATOMICS("no atomic operations in memory that its owner may shorten or that takes messages"),
  /// The memory is reached by messages only, which this thread or this kind of access cannot wait
  /// for.
  WOULD_BLOCK("the memory is reached by messages only"),
  /// The memory went away, or its peer refused, during the access.
  MEMORY_FAILED("the memory went away during the access"),
  /// The function's bus master enable bit is clear.
  BUS_MASTER_OFF("the function is not a bus master");

  private final String text;

  AbortReason(String text) {
    this.text = text;
  }

  /// The reason as a clause, for a message.
  public String text() {
    return text;
  }
}
