package dev.sluice.models.spapr;

import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// The I/O page sizes that a dynamic window may have, and their bits in the answer of
/// `ibm,query-pe-dma-window`: LoPAR, "ibm,query-pe-dma-window". Bits are numbered here from the
/// least significant one.
///
/// ```
///  31       9   8     7     6      5     4    3    2    1     0
/// +----------+-----+------+------+------+----+----+----+-----+----+
/// | reserved | 2 M | 16 G | 256M | 128M | 64M| 32M| 16M| 64K | 4K |
/// +----------+-----+------+------+------+----+----+----+-----+----+
/// ```
///
/// The bit of 2 MiB is newer than the public edition of LoPAR; Linux and QEMU agree on it.
final class IoPageSizes {
  private static final Map<Integer, Integer> BITS =
      Map.of(
          12, 1 << 0, 16, 1 << 1, 24, 1 << 2, 25, 1 << 3, 26, 1 << 4, 27, 1 << 5, 28, 1 << 6, 34,
          1 << 7, 21, 1 << 8);

  private IoPageSizes() {}

  /// The same, if there are I/O pages of that size.
  ///
  /// @throws IllegalArgumentException when there is no bit for pages of 2^shift bytes
  static int checked(int shift) {
    if (!BITS.containsKey(shift)) {
      throw new IllegalArgumentException("no I/O page has 2^%d bytes".formatted(shift));
    }
    return shift;
  }

  /// The page sizes that an answer of the query names. Reserved bits name none.
  static Set<Integer> shifts(int mask) {
    return BITS.entrySet().stream()
        .filter(size -> (mask & size.getValue()) != 0)
        .map(Map.Entry::getKey)
        .collect(Collectors.toUnmodifiableSet());
  }

  /// The answer of the query.
  static int mask(Set<Integer> shifts) {
    return shifts.stream()
        .mapToInt(shift -> BITS.getOrDefault(shift, 0))
        .reduce(0, (a, b) -> a | b);
  }
}
