package dev.sluice.pci.testdev;

import dev.sluice.pci.FunctionHost;

/// An operation as the registers had it when it was started.
///
/// @param host whose memory and interrupts it uses
/// @param length bytes of one access
/// @param count how many accesses
/// @param stride bytes from one access to the next
/// @param holdMicros how long each access holds its mapping; 0 for no mapping
/// @param seed the first byte of a pattern
/// @param vector for the interrupt at its end, -1 for none
/// @param operand of an atomic operation
/// @param compare of a compare and exchange
record Job(
    FunctionHost host,
    Operation operation,
    long iova,
    int length,
    int count,
    int stride,
    int holdMicros,
    int seed,
    int vector,
    long operand,
    long compare) {

  /// The address of access `index`.
  long iova(int index) {
    return iova + (long) index * stride;
  }

  /// Whether the accesses go through mappings that are held.
  boolean holds() {
    return holdMicros != 0;
  }

  /// Whether the device can do this.
  boolean possible() {
    if (length < 1 || length > TestDevice.MAX_LENGTH) {
      return false;
    }
    if (holds() && !operation.holdable()) {
      return false;
    }
    return !operation.atomic() || length == Integer.BYTES || length == Long.BYTES;
  }
}
