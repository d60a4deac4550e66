package dev.sluice.models.dart.apple;

/// The first format (`APPLE_DART`, t8020).
///
/// ```
///  63         52 51         40 39              12 11   9  8  7  6   2   1   0
/// +-------------+-------------+------------------+------+--+--+------+-----+-+
/// |  SP_START   |   SP_END    |    ADDR >> 12    |  0   |NR|NW|  0   |SPDIS|V|
/// +-------------+-------------+------------------+------+--+--+------+-----+-+
/// ```
///
/// NR, NW (`PROT_NO_READ`, `PROT_NO_WRITE`): no reads, no writes. SPDIS (`PROT_SP_DIS`): SP_START
/// and SP_END do not count. ADDR: Linux writes bits 35:12, m1n1 knows them up to 39.
final class Dart1Entry extends DartEntry {
  private static final long ADDRESS = 0xFF_FFFF_F000L;
  private static final long NO_READ = 1L << 8;
  private static final long NO_WRITE = 1L << 7;
  private static final long SUBPAGE_DISABLE = 1L << 1;

  Dart1Entry(int pageShift, int outputWidth) {
    super(pageShift, outputWidth);
  }

  @Override
  long field(long entry) {
    return entry & ADDRESS;
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
    return (entry & SUBPAGE_DISABLE) == 0;
  }
}
