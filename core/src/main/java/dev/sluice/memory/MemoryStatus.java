package dev.sluice.memory;

/// What became of an access to guest-physical memory. A guest decides the addresses, so none of
/// these is an exception.
public enum MemoryStatus {
  /// Every byte moved.
  OK,
  /// No region is at the address.
  HOLE,
  /// A write to a region that the guest may only read, such as a ROM.
  READ_ONLY,
  /// The region is reached by messages to the peer, and the calling thread is the one that has to
  /// receive the answer.
  WOULD_BLOCK,
  /// An atomic operation whose address is not a multiple of its size.
  MISALIGNED,
  /// An atomic operation in memory that has none: its owner may shorten the file behind it, or it
  /// is reached by messages.
  NO_ATOMICS,
  /// The region was there, but the bytes could not be moved: the peer refused or went away,
  /// truncated the file behind the region, or the region is being removed.
  FAILED
}
