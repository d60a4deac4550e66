package dev.sluice.pci.nvme;

/// A completion queue entry as a guest's driver reads it.
///
/// @param result dword 0
/// @param queueHead SQHD
/// @param queueId SQID
/// @param commandId CID
/// @param statusField bits 31:17 of dword 3
record Completion(int result, int queueHead, int queueId, int commandId, int statusField) {
  static final int SUCCESS = 0;

  /// Status code type and status code as one number: 0x280 is type 2, code 80h.
  int status() {
    return statusField & 0x7ff;
  }

  boolean doNotRetry() {
    return (statusField & 1 << 14) != 0;
  }
}
