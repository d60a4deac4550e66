package dev.sluice.models.dart.apple;

/// The second format (`APPLE_DART2`, t6000 and t8110).
///
/// ```
///  63         52 51         40 39 38 37                   10 9   4  3  2  1  0
/// +-------------+-------------+-----+-----------------------+-----+--+--+--+-+
/// |  SP_START   |   SP_END    |  0  |      ADDR >> 14       |  0  |NR|NW|NC|V|
/// +-------------+-------------+-----+-----------------------+-----+--+--+--+-+
/// ```
///
/// NR, NW (`PROT_NO_READ`, `PROT_NO_WRITE`): no reads, no writes. NC (`PROT_NO_CACHE`): not cached,
/// which nothing here is. ADDR: the address is shifted right by 4 bits.
final class Dart2Entry extends DartEntry {
  private static final long ADDRESS = 0x3F_FFFF_FC00L;
  private static final int ADDRESS_SHIFT = 4;
  private static final long NO_READ = 1L << 3;
  private static final long NO_WRITE = 1L << 2;

  Dart2Entry(int pageShift, int outputWidth) {
    super(pageShift, outputWidth);
  }

  @Override
  long field(long entry) {
    return (entry & ADDRESS) << ADDRESS_SHIFT;
  }

  @Override
  boolean readable(long entry) {
    return (entry & NO_READ) == 0;
  }

  @Override
  boolean writable(long entry) {
    return (entry & NO_WRITE) == 0;
  }

  @Override
  boolean isProtectedWithin(long entry) {
    return true;
  }
}
