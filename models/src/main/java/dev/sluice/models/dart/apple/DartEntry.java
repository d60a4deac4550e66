package dev.sluice.models.dart.apple;

import dev.sluice.memory.Access;

/// What the 8-byte little-endian entries of the tables mean, in one of two formats.
///
/// ```
///  63         52 51         40 39                                           0
/// +-------------+-------------+----------------------------------------------+
/// |  SP_START   |   SP_END    |        by format, and VALID in bit 0         |
/// +-------------+-------------+----------------------------------------------+
/// ```
///
/// VALID: it leads to a table, or at the last level to a page. SP_START and SP_END: the first and
/// the last 4096th of the page that may be touched at all, which are 4 bytes of a page of 16 KiB.
/// The protection of an entry that leads to a table does not count.
abstract sealed class DartEntry permits Dart1Entry, Dart2Entry {
  /// Bytes of an entry.
  static final int BYTES = 8;

  private static final int PARTS_SHIFT = 12;
  private static final int PART_MASK = (1 << PARTS_SHIFT) - 1;
  private static final int START_SHIFT = 52;
  private static final int END_SHIFT = 40;

  private final int pageShift;
  private final long outputMask;

  /// @param outputWidth bits of a physical address
  DartEntry(int pageShift, int outputWidth) {
    this.pageShift = pageShift;
    this.outputMask = (1L << outputWidth) - 1;
  }

  /// The format of a configuration.
  static DartEntry of(AppleDartConfig config) {
    int width = config.type().outputWidth();
    return config.type() == DartType.T8020
        ? new Dart1Entry(config.pageShift(), width)
        : new Dart2Entry(config.pageShift(), width);
  }

  /// The guest-physical address that the entry has, with bits that no address may have.
  abstract long field(long entry);

  abstract boolean readable(long entry);

  abstract boolean writable(long entry);

  /// What it lets through, as [dev.sluice.memory.Access#rights()].
  final int rights(long entry) {
    return (readable(entry) ? Access.READ.rights() : 0)
        | (writable(entry) ? Access.WRITE.rights() : 0);
  }

  /// Whether SP_START and SP_END count.
  abstract boolean isProtectedWithin(long entry);

  /// Whether the entry leads somewhere: one that leads beyond what an address can be does not.
  boolean isValid(long entry) {
    return (entry & 1) != 0 && (field(entry) & ~outputMask) == 0;
  }

  /// The guest-physical address of the table or page.
  long address(long entry) {
    return field(entry) & -(1L << pageShift);
  }

  /// The first byte of the page that may be touched.
  long first(long entry) {
    return isProtectedWithin(entry) ? (entry >>> START_SHIFT) << (pageShift - PARTS_SHIFT) : 0;
  }

  /// The byte after the last that may be touched.
  long end(long entry) {
    return isProtectedWithin(entry)
        ? ((entry >>> END_SHIFT & PART_MASK) + 1) << (pageShift - PARTS_SHIFT)
        : 1L << pageShift;
  }
}
