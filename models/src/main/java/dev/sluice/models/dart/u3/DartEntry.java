package dev.sluice.models.dart.u3;

/// An entry of the table: 32 bits, big-endian, one for each 4 KiB (`DARTMAP_*`).
///
/// ```
///  31  30          24 23                                                    0
/// +---+--------------+-------------------------------------------------------+
/// | V |   ignored    |                        RPN                            |
/// +---+--------------+-------------------------------------------------------+
/// ```
///
/// V (`DARTMAP_VALID`): the page is there, for reads and writes both. RPN (`DARTMAP_RPNMASK`): its
/// real page number. An entry that the guest does not use need not be invalid: Linux has it lead to
/// a page that nobody else uses, since the HyperTransport bridge prefetches.
final class DartEntry {
  /// Bytes of an entry.
  static final int BYTES = 4;

  /// Entries in a page of the table.
  static final int PER_PAGE = 1024;

  /// log2 of a page's bytes.
  static final int PAGE_SHIFT = 12;

  private static final int VALID = 0x8000_0000;
  private static final long REAL_PAGE = 0x00FF_FFFFL;

  private DartEntry() {}

  /// One of two neighbours, from the 8 bytes that they are in.
  ///
  /// @param two loaded as a little-endian number
  /// @param address of the one
  static int of(long two, long address) {
    return Integer.reverseBytes((int) (two >>> ((address & BYTES) * Byte.SIZE)));
  }

  static boolean isValid(int entry) {
    return (entry & VALID) != 0;
  }

  /// The guest-physical address of the page.
  static long address(int entry) {
    return (entry & REAL_PAGE) << PAGE_SHIFT;
  }
}
