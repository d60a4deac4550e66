package dev.sluice.bench.jmh;

/// The order in which pages are visited: `stream.h` in Java.
///
/// Offsets go round a power of two of visits in steps of an odd number near the golden ratio, which
/// makes each visit once a round. From one offset to the next:
///
/// ```
/// at = (at + step) & mask              where the mask has no gap
/// at = ((at | gap) + step) & mask      where it has: the carry crosses it
/// ```
///
/// Loops spell this out with everything but `at` in local variables: a field would be read again
/// after each acquire.
///
/// @param base I/O virtual address of the first visit
/// @param step bytes
/// @param mask of an offset
/// @param gap bits between the lowest and the highest of the mask that are not in it
public record AddressStream(long base, long step, long mask, long gap) {
  /// A single visit at 0, for a field that is not set yet.
  static final AddressStream NONE = new AddressStream(0, 0, 0, 0);

  private static final double GOLDEN_RATIO = 0.6180339887498949;

  /// Visits one after the other in memory.
  ///
  /// @param visits a power of two
  /// @param unit bytes that one visit takes, a power of two
  static AddressStream of(long base, int visits, long unit) {
    return new AddressStream(base, goldenStep(visits) * unit, (visits - 1) * unit, 0);
  }

  /// Pages twice: as they are, and again under addresses that have `alias` in addition, so that
  /// between two visits of one address there is always one of the other.
  ///
  /// @param pages a power of two
  /// @param unit bytes of a page
  /// @param alias one bit above the last page
  static AddressStream aliased(long base, int pages, long unit, long alias) {
    long step = goldenStep(2 * pages);
    return new AddressStream(
        base,
        step % pages * unit + step / pages * alias,
        (pages - 1) * unit | alias,
        alias - pages * unit);
  }

  static long goldenStep(int visits) {
    return (long) (visits * GOLDEN_RATIO) | 1;
  }
}
