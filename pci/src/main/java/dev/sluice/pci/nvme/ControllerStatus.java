package dev.sluice.pci.nvme;

/// CSTS, how the controller is (NVMe 1.4, 3.1.6).
///
/// ```
///  31                 6  5    4     3  2   1     0
/// +--------------------+----+------+------+-----+-----+
/// |                    | PP |NSSRO | SHST | CFS | RDY |
/// +--------------------+----+------+------+-----+-----+
/// ```
final class ControllerStatus {
  /// RDY: commands are processed.
  static final int READY = 1;

  /// CFS: the controller met an error that it cannot report in a completion; only a reset helps.
  static final int FATAL = 1 << 1;

  /// SHST: shutdown processing has begun, or has ended.
  static final int SHUTDOWN_OCCURRING = 0b01 << 2;

  static final int SHUTDOWN_COMPLETE = 0b10 << 2;
  static final int SHUTDOWN = 0b11 << 2;

  private ControllerStatus() {}
}
