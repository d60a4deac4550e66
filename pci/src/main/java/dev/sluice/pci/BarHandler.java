package dev.sluice.pci;

/// The registers behind a BAR.
///
/// Called one access at a time on the thread that serves the guest; it must not block and must not
/// use the device's [DMA context][FunctionHost#dma()], because the answer to a message to the
/// guest's memory arrives on that same thread. What a guest does wrong is ignored or recorded in
/// the device's own registers: an exception from here is a defect.
public interface BarHandler {
  /// Reads `size` bytes at `offset`, little-endian, zero-extended.
  ///
  /// @param offset bytes from the start of the BAR; `offset + size` is within the BAR, but need not
  ///   be aligned
  /// @param size 1, 2, 4 or 8 bytes
  long read(long offset, int size);

  /// Writes the low `size` bytes of `value` at `offset`, little-endian.
  ///
  /// @param offset bytes from the start of the BAR; `offset + size` is within the BAR, but need not
  ///   be aligned
  /// @param size 1, 2, 4 or 8 bytes
  void write(long offset, int size, long value);
}
