package dev.sluice.vm.guest.vtd;

/// Offsets and bits of the remapping hardware's registers (11.4).
final class Registers {
  /// Bytes of the register page.
  static final long SIZE = 0x1000;

  static final int VERSION = 0x00;
  static final int CAPABILITY = 0x08;
  static final int EXTENDED_CAPABILITY = 0x10;

  /// GCMD and GSTS have the same bits: a command, and whether it has taken effect.
  static final int GLOBAL_COMMAND = 0x18;

  static final int GLOBAL_STATUS = 0x1C;
  static final int TRANSLATION_ENABLE = 1 << 31;
  static final int SET_ROOT_TABLE = 1 << 30;
  static final int WRITE_BUFFER_FLUSH = 1 << 27;
  static final int QUEUED_INVALIDATION = 1 << 26;

  /// What stays enabled from one command to the next: TE, EAFL, QIE, IRE, CFI. The others are
  /// commands that are done once (11.4.4.1).
  static final int KEPT_ENABLED = 1 << 31 | 1 << 28 | 1 << 26 | 1 << 25 | 1 << 23;

  static final int ROOT_TABLE = 0x20;

  static final int FAULT_STATUS = 0x34;
  static final int FAULT_OVERFLOW = 1;
  static final int FAULT_PENDING = 1 << 1;
  static final int QUEUE_ERROR = 1 << 4;
  static final int COMPLETION_ERROR = 1 << 5;
  static final int TIMEOUT_ERROR = 1 << 6;

  static final int FAULT_CONTROL = 0x38;
  static final int FAULT_DATA = 0x3C;
  static final int FAULT_ADDRESS = 0x40;
  static final int FAULT_UPPER_ADDRESS = 0x44;

  static final int PROTECTED_MEMORY = 0x64;
  static final int PROTECTED_MEMORY_ENABLE = 1 << 31;
  static final int PROTECTED_MEMORY_STATUS = 1;

  static final int QUEUE_HEAD = 0x80;
  static final int QUEUE_TAIL = 0x88;
  static final int QUEUE_ADDRESS = 0x90;

  private Registers() {}
}
