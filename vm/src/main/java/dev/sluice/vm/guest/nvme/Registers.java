package dev.sluice.vm.guest.nvme;

/// Offsets and bits of the controller's registers (3.1).
///
/// ```
///  CAP   55 52  51 48 | 35 32 | 31 24 | 15   0
///       MPSMAX MPSMIN | DSTRD |  TO   | MQES
///  CC    23 20  19 16 | 15 14 | 13 11 | 10  7 | 6  4 | 0
///       IOCQES IOSQES |  SHN  |  AMS  |  MPS  |  CSS | EN
///  CSTS  3 2 | 1 | 0
///       SHST |CFS|RDY
///  AQA   27 16 = completion queue's entries - 1 | 11 0 = submission queue's
/// ```
final class Registers {
  static final int CAPABILITIES = 0x00;
  static final int VERSION = 0x08;
  static final int CONFIGURATION = 0x14;
  static final int STATUS = 0x1C;
  static final int ADMIN_QUEUE_ATTRIBUTES = 0x24;
  static final int ADMIN_SUBMISSION_QUEUE = 0x28;
  static final int ADMIN_COMPLETION_QUEUE = 0x30;
  static final int DOORBELLS = 0x1000;

  static final int ENABLE = 1;
  static final int SHUTDOWN_MASK = 0b11 << 14;
  static final int SHUTDOWN_NORMAL = 0b01 << 14;

  /// Round robin, the NVM command set, pages of 4 KiB, entries of 2^6 and 2^4 bytes.
  static final int ENTRY_SIZES = 6 << 16 | 4 << 20;

  static final int READY = 1;
  static final int FATAL = 1 << 1;
  static final int SHUTDOWN_STATUS_MASK = 0b11 << 2;
  static final int SHUTDOWN_COMPLETE = 0b10 << 2;

  private Registers() {}
}
