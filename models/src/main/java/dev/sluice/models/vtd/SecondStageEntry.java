package dev.sluice.models.vtd;

import dev.sluice.models.walk.RadixFormat;

/// Entries of the second-stage page tables, VT-d specification 9.8 (SS-PML4E, SS-PDPE, SS-PDE,
/// SS-PTE).
///
/// ```
///  63  62 61     52 51  HAW HAW-1         12  11  10     8  7  6     3  2  1  0
/// +---+--+---------+-------+----------------+---+---------+--+---------+--+--+-+
/// |ign| 0| ignored |   0   | ADDR >> 12     |SNP| ignored |PS| ignored |ign|W|R|
/// +---+--+---------+-------+----------------+---+---------+--+---------+--+--+-+
/// ```
///
/// - R, W: reads and writes go through; with both clear the entry maps nothing and no other bit
///   counts. R and W of every level must be set for an access to be granted.
/// - PS: at level 2 a page of 2 MiB, at level 3 of 1 GiB, whose ADDR must be so aligned; reserved
///   at level 4; ignored at level 1.
/// - SNP: forces snooping, which happens anyway; in a page entry only, reserved elsewhere.
/// - Bit 62 is for device TLBs (TM) and reserved, as this unit has none.
final class SecondStageEntry implements RadixFormat {
  private static final long READ = 1;
  private static final long WRITE = 1L << 1;
  private static final long PAGE_SIZE = 1L << 7;
  private static final long SNOOP = 1L << 11;
  private static final long IGNORED = 0xBFF0_0000_0000_077CL;
  private static final long ADDRESS = 0x000F_FFFF_FFFF_F000L;
  private static final int LARGEST_PAGE_LEVEL = 3;

  /// log2 of the smallest page's bytes, 4 KiB.
  static final int PAGE_SHIFT = 12;

  private static final int INDEX_BITS = 9;

  private final long addressMask;

  /// The bits that an entry which leads to a table may not set. So PS is one at level 4; below, an
  /// entry with PS leads to no table.
  private final long reservedInTable;

  /// The bits that an entry of level 1 may not set.
  private final long reservedInLeaf;

  /// @param addressMask the bits that an address may set
  SecondStageEntry(long addressMask) {
    this.addressMask = addressMask;
    reservedInTable = ~(READ | WRITE | IGNORED | addressMask);
    reservedInLeaf = reservedInTable & ~(PAGE_SIZE | SNOOP);
  }

  @Override
  public int pageShift() {
    return PAGE_SHIFT;
  }

  @Override
  public int indexBits() {
    return INDEX_BITS;
  }

  @Override
  public boolean leadsOn(long entry, int level) {
    return (entry & reservedInTable) == 0 && (entry & (READ | WRITE)) != 0;
  }

  /// Whether an entry of level 1 is a [Kind#PAGE], told by few instructions. All ones is none.
  boolean mapsPage(long entry) {
    return (entry & reservedInLeaf) == 0 && (entry & (READ | WRITE)) != 0;
  }

  @Override
  public Kind kind(long entry, int level) {
    if ((entry & (READ | WRITE)) == 0) {
      return Kind.ABSENT;
    }
    if (level > 1 && leadsOn(entry, level)) {
      return Kind.TABLE;
    }
    boolean page = level == 1 || (level <= LARGEST_PAGE_LEVEL && (entry & PAGE_SIZE) != 0);
    long offsetInPage = (1L << shift(level)) - 1;
    long reservedInPage = reservedInLeaf | (addressMask & offsetInPage);
    return page && (entry & reservedInPage) == 0 ? Kind.PAGE : Kind.MALFORMED;
  }

  @Override
  public long address(long entry) {
    return entry & ADDRESS;
  }

  @Override
  public int rights(long entry) {
    return (int) entry & (int) (READ | WRITE);
  }
}
