package dev.sluice.models.dart.apple;

/// What the DART says of itself (`DART_PARAMS1` to `DART_T8110_PARAMS4`).
///
/// ```
///  31   28 27       24 23                                                   0
/// +-------+-----------+------------------------------------------------------+
/// |   0   |PAGE_SHIFT |                          0                           | PARAMS1
/// +-------+-----------+------------------------------------------------------+
///  31                                                          2   1    0
/// +--------------------------------------------------------------+----+------+
/// |                               0                              |LOCK|BYPASS| PARAMS2
/// +--------------------------------------------------------------+----+------+
///  31 30 29      24 23 22 21      16 15          8 7                        0
/// +-----+----------+-----+----------+-------------+--------------------------+
/// |  0  | PA_WIDTH |  0  | VA_WIDTH |   VER_MAJ   |         VER_MIN          | PARAMS3
/// +-----+----------+-----+----------+-------------+--------------------------+
///  31      25 24           16 15             9 8                            0
/// +----------+---------------+----------------+------------------------------+
/// |    0     |  NUM_CLIENTS  |       0        |           NUM_SIDS           | PARAMS4
/// +----------+---------------+----------------+------------------------------+
/// ```
///
/// LOCK (m1n1's `SUPPORT_REG_LOCK`): registers can be locked. The last two are a t8110's. The sizes
/// of the TLB, which m1n1 finds in PARAMS1 and PARAMS2 of a t8110, are 0: they are not modelled.
final class Parameters {
  private static final long LOCK_SUPPORT = 1L << 1;
  private static final long BYPASS_SUPPORT = 1;

  private Parameters() {}

  static long params1(AppleDartConfig config) {
    return (long) config.pageShift() << 24;
  }

  static long params2(AppleDartConfig config) {
    return LOCK_SUPPORT | (config.bypass() ? BYPASS_SUPPORT : 0);
  }

  static long params3(AppleDartConfig config) {
    return (long) config.type().outputWidth() << 24 | (long) config.inputWidth() << 16 | 1 << 8;
  }

  static long params4(AppleDartConfig config) {
    return (long) config.streams() << 16 | config.streams();
  }
}
