package dev.sluice.models.spapr;

import dev.sluice.memory.Access;

/// A translation control entry, LoPAR "TCE Definition". Bits are numbered here from the least
/// significant one; LoPAR counts from the other end.
///
/// ```
///  63  62                               12 11        2  1  0
/// +--+------------------------------------+-----------+--+--+
/// |U |            RPN                     | reserved  |W |R |
/// +--+------------------------------------+-----------+--+--+
/// ```
///
/// - R, W: what a device may do with the page. Neither is "page fault": nothing is mapped, and the
///   other bits may be anything.
/// - RPN: the guest-physical page. In a window of larger pages its low bits are zero.
/// - U: no bit of the architecture's. A table of this model keeps there, in entries that map
///   something, whether a device has used the entry since it was set. No partition has memory at
///   2^63 and above, so that the guest has no use for the bit; it never sees it either.
final class Tce {
  /// Reads allowed.
  static final long READ = 1;

  /// Writes allowed.
  static final long WRITE = 2;

  /// The page mapping and control field.
  static final long RIGHTS = READ | WRITE;

  /// The model's own: used since it was set.
  static final long IN_USE = 1L << 63;

  /// The model's own: a word of a page that has been given back, see [TcePages]. No guest can write
  /// it, as it maps a page and has a reserved bit set; who wants to replace it finds it in use.
  static final long GONE = IN_USE | RIGHTS | 1 << 2;

  /// Log2 of the smallest I/O page.
  static final int MIN_PAGE_SHIFT = 12;

  /// What H_GET_TCE puts in the place of a page that is not the partition's any more.
  static final long NOT_OWNED = 0xFFFF_FFFF_FFFF_F000L;

  private Tce() {}

  /// Whether it maps a page.
  static boolean isMapped(long tce) {
    return (tce & RIGHTS) != 0;
  }

  /// Whether it maps a page that a device has used.
  static boolean isInUse(long word) {
    return word < 0 && isMapped(word);
  }

  /// Whether it maps a page for this kind of access.
  static boolean allows(long tce, Access access) {
    return (tce & access.rights()) == access.rights();
  }

  /// As the guest wrote it.
  static long asWritten(long word) {
    if (word == GONE) {
      return 0;
    }
    return isMapped(word) ? word & ~IN_USE : word;
  }

  /// The page's guest-physical address.
  static long address(long tce, int pageShift) {
    return tce & ~IN_USE & -(1L << pageShift);
  }

  /// Whether an entry that maps a page has a bit set that must be clear: a reserved one, one below
  /// the page size of the window, or the topmost.
  static boolean isMalformed(long tce, int pageShift) {
    return (tce & (IN_USE | (((1L << pageShift) - 1) & ~RIGHTS))) != 0;
  }
}
