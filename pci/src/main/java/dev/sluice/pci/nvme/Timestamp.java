package dev.sluice.pci.nvme;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// The Timestamp feature (NVMe 1.4, 5.21.1.14): milliseconds since 1970 as the guest told them,
/// counted on since; since the reset when it has told nothing.
///
/// ```
///  63        56 55       51  50    48 47                     0
/// +------------+-----------+---------+------------------------+
/// |  reserved  | attributes| origin  |      milliseconds      |
/// +------------+-----------+---------+------------------------+
/// ```
final class Timestamp {
  /// The structure's eight bytes as a number.
  static final ValueLayout.OfLong LAYOUT =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final long MILLISECONDS = (1L << 48) - 1;
  private static final long SET_BY_GUEST = 0b001L << 49;

  private long base;
  private long since = System.nanoTime();
  private long origin;

  /// Takes the guest's time.
  synchronized void set(long value) {
    base = value & MILLISECONDS;
    since = System.nanoTime();
    origin = SET_BY_GUEST;
  }

  /// The eight bytes of the structure.
  synchronized long get() {
    long elapsed = (System.nanoTime() - since) / 1_000_000;
    return ((base + elapsed) & MILLISECONDS) | origin;
  }
}
