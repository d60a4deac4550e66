package dev.sluice.vm.replay;

/// How QEMU numbers its TCE tables: a VIO device's is the device's unit address; a host bridge's
/// have the top bit set.
///
/// ```
///  31  30      16 15            8 7            0
/// +---+----------+---------------+--------------+
/// | 1 |    0     | bridge        | window       |
/// +---+----------+---------------+--------------+
/// ```
final class RecordedLiobn {
  private static final long FIRST_OF_BRIDGES = 0x8000_0000L;
  private static final long FIRST_UNIT_ID = 0x0800_0000_2000_0000L;
  private static final int BRIDGE_SHIFT = 8;
  private static final long WINDOW = 0xFF;

  private RecordedLiobn() {}

  /// Whether it is that of a host bridge, rather than of a VIO device.
  static boolean isOfBridge(long liobn) {
    return liobn >= FIRST_OF_BRIDGES;
  }

  /// Whether it is the one that a host bridge's default window has.
  static boolean isDefaultWindow(long liobn) {
    return isOfBridge(liobn) && space(liobn) == liobn;
  }

  /// The LIOBN of the first window of the bridge or device that a LIOBN belongs to.
  static long space(long liobn) {
    return isOfBridge(liobn) ? liobn & ~WINDOW : liobn;
  }

  /// The number of a bridge; too large a one for a LIOBN that no bridge has.
  static long bridge(long liobn) {
    return (liobn - FIRST_OF_BRIDGES) >>> BRIDGE_SHIFT;
  }

  /// The unit id of a bridge.
  static long unitId(long liobn) {
    return FIRST_UNIT_ID + bridge(liobn);
  }
}
