package dev.sluice.vm.guest.vtd;

import dev.sluice.vm.guest.machine.DriverView;
import dev.sluice.vm.guest.machine.HardwareException;
import java.util.ArrayList;
import java.util.List;

/// The second-stage page table of one domain, with 4 KiB pages (3.7, 9.8).
///
/// ```
///  63 | 62 | 61   52 | 51            12 | 11 | 10  8 | 7  | 6   3 | 2 1 0
///     | TM |         | page or table    | SNP|       | PS |       | X W R
/// ```
///
/// Entries above the last level allow reading and writing; the last level decides.
final class SecondStageTable {
  private static final long READ = 1;
  private static final long WRITE = 1 << 1;
  private static final long ADDRESS = 0x000F_FFFF_FFFF_F000L;
  private static final int PAGE_SHIFT = 12;
  private static final int LEVEL_BITS = 9;
  private static final int ENTRIES = 1 << LEVEL_BITS;

  private final DriverView machine;
  private final int levels;
  private final long top;

  /// An empty table.
  ///
  /// @param levels 3 or 4
  SecondStageTable(DriverView machine, int levels) throws HardwareException {
    this.machine = machine;
    this.levels = levels;
    top = machine.pages().allocateZeroed();
  }

  /// Physical address of the top level.
  long address() {
    return top;
  }

  /// How many levels there are.
  int levels() {
    return levels;
  }

  /// Maps one page that is not mapped yet.
  ///
  /// @throws HardwareException when RAM for tables is used up
  void map(long iova, long page, boolean readable, boolean writable) throws HardwareException {
    long table = top;
    for (int level = levels; level > 1; level--) {
      table = below(table + index(iova, level) * Long.BYTES);
    }
    long entry = table + index(iova, 1) * Long.BYTES;
    if (machine.ram().load64(entry) != 0) {
      throw new IllegalStateException("0x%x is mapped already".formatted(iova));
    }
    machine.ram().store64(entry, page | (readable ? READ : 0) | (writable ? WRITE : 0));
  }

  private long below(long entry) throws HardwareException {
    long found = machine.ram().load64(entry);
    if (found != 0) {
      return found & ADDRESS;
    }
    long table = machine.pages().allocateZeroed();
    machine.ram().store64(entry, table | READ | WRITE);
    return table;
  }

  /// Unmaps a range. Tables of the last level that the range covers wholly leave with it, as in
  /// Linux.
  ///
  /// @param first first address, a multiple of 4096
  /// @param pages how many
  /// @return the pages of tables that are not part of the table any more; the hardware may know
  ///   them until an invalidation
  List<Long> unmap(long first, int pages) {
    List<Long> freed = new ArrayList<>();
    long iova = first;
    long end = first + ((long) pages << PAGE_SHIFT);
    while (iova < end) {
      long parent = lastTableEntry(iova);
      long table = machine.ram().load64(parent) & ADDRESS;
      int from = (int) index(iova, 1);
      int count = (int) Math.min(ENTRIES - from, (end - iova) >>> PAGE_SHIFT);
      if (count == ENTRIES) {
        machine.ram().store64(parent, 0);
        freed.add(table);
      } else {
        for (int i = from; i < from + count; i++) {
          machine.ram().store64(table + (long) i * Long.BYTES, 0);
        }
      }
      iova += (long) count << PAGE_SHIFT;
    }
    return freed;
  }

  /// Where the entry stands that leads to the last level's table of an address.
  private long lastTableEntry(long iova) {
    long table = top;
    for (int level = levels; level > 2; level--) {
      table = machine.ram().load64(table + index(iova, level) * Long.BYTES) & ADDRESS;
    }
    return table + index(iova, 2) * Long.BYTES;
  }

  /// Every page of the table, for when nobody can use it any more.
  List<Long> allTables() {
    List<Long> all = new ArrayList<>();
    collect(top, levels, all);
    return all;
  }

  private void collect(long table, int level, List<Long> into) {
    into.add(table);
    if (level == 1) {
      return;
    }
    for (int i = 0; i < ENTRIES; i++) {
      long entry = machine.ram().load64(table + (long) i * Long.BYTES);
      if (entry != 0) {
        collect(entry & ADDRESS, level - 1, into);
      }
    }
  }

  private static long index(long iova, int level) {
    return iova >>> (PAGE_SHIFT + LEVEL_BITS * (level - 1)) & (ENTRIES - 1);
  }
}
