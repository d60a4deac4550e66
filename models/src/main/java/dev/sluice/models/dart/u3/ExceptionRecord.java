package dev.sluice.models.dart.u3;

import dev.sluice.memory.Access;

/// The exception register (`DART_EXCP`): the latest refused access. Any write clears it.
///
/// ```
///  31   30                                                    4   3  2     0
/// +-----+------------------------------------------------------+----+-------+
/// |RQSRC|                        LPN                           |RQOP|  XCD  |
/// +-----+------------------------------------------------------+----+-------+
/// ```
///
/// RQSRC: 0 PCI Express, 1 HyperTransport. LPN: the logical page, 27 bits. RQOP: 0 a read, 1 a
/// write. XCD: the reason, [ExceptionCode]. So a U4 has it (Xen). Of a U3 the same four are known,
/// and not their places (Darwin): the model has them where the U4 has them.
final class ExceptionRecord {
  private static final long FROM_HYPERTRANSPORT = 1L << 31;
  private static final long WRITE = 1L << 3;
  private static final int PAGE_SHIFT = 4;

  private ExceptionRecord() {}

  /// @param access one that reads and writes counts as a write
  static long of(boolean onPciExpress, long iova, Access access, int code) {
    return (onPciExpress ? 0 : FROM_HYPERTRANSPORT)
        | (iova >>> DartEntry.PAGE_SHIFT & U4Control.LOGICAL_PAGE) << PAGE_SHIFT
        | (access.writes() ? WRITE : 0)
        | code;
  }
}
