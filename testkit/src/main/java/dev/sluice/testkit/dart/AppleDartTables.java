package dev.sluice.testkit.dart;

import dev.sluice.memory.Access;
import dev.sluice.testkit.TableStore;

/// The tables of one domain, as Linux's `io-pgtable-dart.c` keeps them. Not for several threads.
///
/// ```
///  first format   63    52 51   40 39  36 35        12 11  9  8  7  6  2   1   0
///                 | start |  end  |  0   |  address  |  0  |NR|NW|  0 |SPDIS| V |
///  second format  63    52 51   40 39 38 37           10 9       4  3  2  1   0
///                 | start |  end  |  0  | address >> 4  |    0    |NR|NW| NC| V |
/// ```
public final class AppleDartTables {
  private static final long VALID = 1;
  private static final long WHOLE_PAGE = 0xFFFL << 40;
  private static final int ENTRY_SHIFT = 3;
  private static final int SMALL_PAGE_SHIFT = 12;
  private static final int MOST_TABLE_BITS = 2;

  private final TableStore memory;
  private final boolean firstFormat;
  private final int pageShift;
  private final int bitsPerLevel;

  /// With the one whose entries are the base registers.
  private final int levels;

  private final long[] tops;

  /// Allocates the top tables.
  ///
  /// @param inputWidth bits of an I/O virtual address (`ias`)
  AppleDartTables(TableStore memory, boolean firstFormat, int pageShift, int inputWidth) {
    this.memory = memory;
    this.firstFormat = firstFormat;
    this.pageShift = pageShift;
    bitsPerLevel = pageShift - ENTRY_SHIFT;
    int mostTableBits = pageShift == SMALL_PAGE_SHIFT ? MOST_TABLE_BITS : 0;
    int pageBits = inputWidth - pageShift;
    int below = Math.max(2, (pageBits - mostTableBits + bitsPerLevel - 1) / bitsPerLevel);
    levels = below + 1;
    tops = new long[1 << Math.max(0, pageBits - bitsPerLevel * below)];
    for (int i = 0; i < tops.length; i++) {
      tops[i] = memory.table(1 << pageShift);
    }
  }

  long[] tops() {
    return tops.clone();
  }

  int levels() {
    return levels;
  }

  /// `dart_map_pages`, for one page after the other.
  void map(long iova, long address, int pages, Access access) {
    for (int i = 0; i < pages; i++) {
      long page = (long) i << pageShift;
      long at = last(iova + page);
      if ((memory.load(at) & VALID) != 0) {
        throw new IllegalStateException("0x%x is mapped already".formatted(iova + page));
      }
      memory.store(at, protection(access) | WHOLE_PAGE | VALID | field(address + page));
    }
  }

  /// `dart_unmap_pages`, likewise.
  void unmap(long iova, int pages) {
    for (int i = 0; i < pages; i++) {
      memory.store(last(iova + ((long) i << pageShift)), 0);
    }
  }

  /// Where the last entry of an address is; makes the tables on the way.
  private long last(long iova) {
    long table = tops[(int) index(iova, levels)];
    for (int level = levels - 1; level > 1; level--) {
      long at = table + (index(iova, level) << ENTRY_SHIFT);
      if (memory.load(at) == 0) {
        memory.store(at, field(memory.table(1 << pageShift)) | VALID);
      }
      table = address(memory.load(at));
    }
    return table + (index(iova, 1) << ENTRY_SHIFT);
  }

  private long index(long iova, int level) {
    return iova >> (level * bitsPerLevel + ENTRY_SHIFT) & ((1L << bitsPerLevel) - 1);
  }

  private long protection(Access access) {
    long noWrite = access.writes() ? 0 : 1L << (firstFormat ? 7 : 2);
    long noRead = access.reads() ? 0 : 1L << (firstFormat ? 8 : 3);
    return noWrite | noRead | (firstFormat ? 1L << 1 : 0);
  }

  private long field(long address) {
    return firstFormat ? address & 0xF_FFFF_F000L : address >> 4 & 0x3F_FFFF_FC00L;
  }

  private long address(long entry) {
    return firstFormat ? entry & 0xF_FFFF_F000L : (entry & 0x3F_FFFF_FC00L) << 4;
  }
}
