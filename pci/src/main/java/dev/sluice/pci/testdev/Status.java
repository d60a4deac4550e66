package dev.sluice.pci.testdev;

/// The register STATUS.
///
/// ```
///  31              5    4        3        2       1      0
/// +-----------------+---------+---------+---------+------+------+
/// |    reserved     | HOLDING | REFUSED | ABORTED | DONE | BUSY |
/// +-----------------+---------+---------+---------+------+------+
/// ```
final class Status {
  /// An operation is under way.
  static final int BUSY = 1;

  /// The last operation has ended.
  static final int DONE = 1 << 1;

  /// It ended early: ABORT_REASON says why.
  static final int ABORTED = 1 << 2;

  /// A start had no effect: an operation was under way, or a register has an impossible value.
  /// Cleared by the next start that has one.
  static final int REFUSED = 1 << 3;

  /// The operation has its memory mapped and waits, see [Register#HOLD].
  static final int HOLDING = 1 << 4;

  private Status() {}
}
