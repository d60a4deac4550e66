package dev.sluice.pci.nvme;

/// A result as the controller puts it into a completion queue (NVMe 1.4, 4.6).
///
/// ```
///       31                      17  16  15                    0
///  00h |  command specific result                              |
///  04h |  reserved                                             |
///  08h |  submission queue id          |  its head             |
///  0Ch |  status field            | P  |  command id           |
/// ```
///
/// The entry is written in two halves; the second, written with release order, carries the phase
/// tag P that makes the entry valid.
final class CompletionEntry {
  /// Bytes.
  static final int SIZE = 16;

  /// log2 of [#SIZE], as CC.IOCQES has it.
  static final int SHIFT = 4;

  private CompletionEntry() {}

  /// Dwords 0 and 1.
  static long firstHalf(int result) {
    return Integer.toUnsignedLong(result);
  }

  /// Dwords 2 and 3.
  static long secondHalf(int queueId, int queueHead, int commandId, Status status, boolean phase) {
    long dword3 = commandId | (long) status.field() << 16 | (phase ? 1L << 16 : 0);
    return dword3 << 32 | (long) queueId << 16 | queueHead;
  }
}
