package dev.sluice.vm.guest.nvme;

/// A completion queue entry, 16 bytes (4.6).
///
/// ```
///   0  result of the command            8  31      16 | 15      0
///                                          queue id   | queue head
///  12  31 | 30 | 27 25 | 24   17 | 16 | 15         0
///      DNR| M  |  type |  code   | P  | command id
/// ```
///
/// @param result dword 0
/// @param queue the submission queue that the command was in
/// @param id the command's
/// @param status type in bits 10:8, code in bits 7:0; 0 is success
record Completion(int result, int queue, int id, int status) {
  /// Bytes of an entry.
  static final int SIZE = 16;

  static final int OFFSET_QUEUE = 8;
  static final int OFFSET_STATUS = 12;

  /// The phase tag in the last dword: it changes each time the queue is gone through.
  static final int PHASE = 1 << 16;

  private static final int STATUS_SHIFT = 17;
  private static final int STATUS_MASK = 0x7FF;
  private static final int LOW_16 = 0xFFFF;

  /// Takes an entry apart.
  static Completion decode(int result, int queues, int last) {
    return new Completion(
        result, queues >>> 16, last & LOW_16, last >>> STATUS_SHIFT & STATUS_MASK);
  }

  boolean succeeded() {
    return status == 0;
  }

  /// The status as `type/code`.
  String statusText() {
    return "status %x/%02x".formatted(status >>> 8, status & 0xFF);
  }
}
