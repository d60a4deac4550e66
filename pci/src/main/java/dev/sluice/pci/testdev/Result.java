package dev.sluice.pci.testdev;

import java.nio.ByteBuffer;

/// How an operation ended.
///
/// @param moved bytes that moved
/// @param abortCode see [AbortCode]
/// @param faultCode the IOMMU's own
/// @param abortIova the first address that was refused
/// @param checksum of the bytes read
/// @param witness of an atomic operation
/// @param window the first bytes read, by absolute index
record Result(
    long moved,
    int abortCode,
    int faultCode,
    long abortIova,
    int checksum,
    long witness,
    ByteBuffer window) {
  /// Before any operation.
  static final Result NONE = new Result(0, AbortCode.NONE, 0, 0, 0, 0, ByteBuffer.allocate(0));

  boolean aborted() {
    return abortCode != AbortCode.NONE;
  }
}
