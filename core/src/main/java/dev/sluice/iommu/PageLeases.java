package dev.sluice.iommu;

import dev.sluice.memory.Ram;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/// The pages that devices keep mapped through one [AccessSection]: leases on single pages, found by
/// address.
///
/// The thread that owns the section takes leases, within a section; any thread gives them back. A
/// lease is a cell of a table: its word is the lease's own number and whether it is live, with the
/// particulars beside it, written before the word. Cells are grouped by page, so that an
/// invalidation of a page looks at a handful however many leases there are; when a group is full, a
/// larger table is put before the others, and the old ones stay for the leases they have.
final class PageLeases {
  private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);

  /// Cells of one group: one cache line of words.
  private static final int GROUP = 8;

  private static final int FIRST_TABLE = 64;

  /// Cells of the largest table; beyond, a mapping is a [Hold].
  private static final int LARGEST_TABLE = 65_536;

  /// In a word, what has become of the lease: usable, revoked, or given back by a thread that is
  /// not the owner, who has yet to free the cell.
  private static final long LIVE = 1;

  private static final long REVOKED = 2;

  private static final long LEFT = 3;

  /// What a word grows by from lease to lease.
  private static final long NEXT = 4;

  /// Cells of eight longs each, so that a lease takes one cache line.
  static final class Table {
    // Places in a cell; the word comes first.
    private static final int TAG = 1;
    private static final int FIRST = 2;
    private static final int LAST = 3;
    private static final int COUNT = 4;
    private static final int RAM = 5;
    private static final int CELL_SHIFT = 3;

    private final long[] cells;
    final @Nullable Table smaller;

    Table(int size, @Nullable Table smaller) {
      cells = new long[size << CELL_SHIFT];
      this.smaller = smaller;
    }

    int size() {
      return cells.length >>> CELL_SHIFT;
    }

    /// The first cell of the group of a page.
    int group(long iova) {
      return (int) (iova >>> 12) * GROUP & (size() - 1);
    }

    /// A cell for a page that is free or waits for the owner to free it, or -1.
    int free(long iova) {
      int group = group(iova);
      for (int cell = group; cell < group + GROUP; cell++) {
        // Plain: what the owner does not find free yet it finds the next time.
        long word = cells[cell << CELL_SHIFT];
        if (word == 0 || (word & LEFT) == LEFT) {
          return cell;
        }
      }
      return -1;
    }

    /// By the owner, of a cell that may be taken: whether it was left.
    boolean isLeft(int cell) {
      return cells[cell << CELL_SHIFT] != 0;
    }

    /// What is in a cell: 0 while it is free.
    long word(int cell) {
      return (long) WORDS.getAcquire(cells, cell << CELL_SHIFT);
    }

    void set(int cell, long word) {
      WORDS.setRelease(cells, cell << CELL_SHIFT, word);
    }

    boolean replace(int cell, long word, long by) {
      return WORDS.compareAndSet(cells, cell << CELL_SHIFT, word, by);
    }

    /// The count at the start of the section that took the lease of a cell.
    long count(int cell) {
      return cells[(cell << CELL_SHIFT) + COUNT];
    }

    void describe(int cell, long tag, long first, long last, long count, long ram) {
      int at = cell << CELL_SHIFT;
      cells[at + TAG] = tag;
      cells[at + FIRST] = first;
      cells[at + LAST] = last;
      cells[at + COUNT] = count;
      cells[at + RAM] = ram;
    }

    boolean isMeant(int cell, Query what) {
      int at = cell << CELL_SHIFT;
      return cells[at + COUNT] < what.count
          && ((cells[at + TAG] ^ what.tagValue) & what.tagMask) == 0
          && Long.compareUnsigned(cells[at + FIRST], what.last) <= 0
          && Long.compareUnsigned(what.first, cells[at + LAST]) <= 0
          && (what.number < 0 || Ram.number(cells[at + RAM]) == what.number);
    }

    /// Revokes the lease that has the word, unless it has ended.
    boolean revoke(int cell, long word) {
      return replace(cell, word, word - LIVE + REVOKED);
    }

    /// Ends the lease that had the word when it was taken, for a thread that is not the owner.
    boolean leave(int cell, long word) {
      return replace(cell, word, word | LEFT) || replace(cell, word - LIVE + REVOKED, word | LEFT);
    }
  }

  /// Which leases are meant.
  ///
  /// @param count those taken before this count, see [InvalidationCount]
  /// @param number those on the RAM region with this number, or -1 for any
  record Query(long tagMask, long tagValue, long first, long last, long count, int number) {}

  private final AccessSection section;

  /// The largest table, which leads to the others. Written by the owner; to others it is visible
  /// with the first lease in it.
  private @Nullable Table largest;

  /// Word of the lease before, without its state. The owner's.
  private long latest;

  PageLeases(AccessSection section) {
    this.section = section;
  }

  /// Takes a lease. By the owner, within a section.
  ///
  /// @param into which becomes the lease
  /// @param count read at the start of the section
  /// @return false when there are too many
  boolean take(PageLease into, long tag, long first, long last, long count, long ram) {
    Table table = largest;
    int cell = table == null ? -1 : table.free(first);
    if (table == null || cell < 0) {
      table = tableWithRoom(first);
      if (table == null) {
        return false;
      }
      cell = table.free(first);
    }
    if (table.isLeft(cell)) {
      free(table, cell);
    }
    section.countTaken();
    latest += NEXT;
    table.describe(cell, tag, first, last, count, ram);
    table.set(cell, latest | LIVE);
    into.taken(this, table, cell, latest | LIVE);
    return true;
  }

  private @Nullable Table tableWithRoom(long iova) {
    for (Table table = largest; table != null; table = table.smaller) {
      if (table.free(iova) >= 0) {
        return table;
      }
    }
    Table before = largest;
    int cells = before == null ? FIRST_TABLE : before.size() * 4;
    // A group may also be full as the same page is mapped over and over: no table helps against
    // that.
    boolean crowded = before == null || section.leaseCount() >= before.size() / GROUP;
    if (cells > LARGEST_TABLE || !crowded) {
      return null;
    }
    Table made = new Table(cells, before);
    largest = made;
    return made;
  }

  /// Gives a lease back, revoked or not; what comes after the first time does nothing.
  void giveBack(Table table, int cell, long word) {
    if (section.isOwnedBy(Thread.currentThread())) {
      // Only the owner frees a cell. So one that has the lease's number keeps it until then,
      // whatever becomes of the lease.
      if (isOf(table.word(cell), word)) {
        free(table, cell);
      }
    } else if (!table.leave(cell, word)) {
      return;
    }
    VarHandle.releaseFence();
    if (section.waits().isAwaited()) {
      section.waits().wake();
    }
  }

  /// By the owner.
  private void free(Table table, int cell) {
    table.set(cell, 0);
    section.countReturned();
    // The next lease's particulars come after the word was seen to be free.
    VarHandle.releaseFence();
  }

  private static boolean isOf(long found, long word) {
    return (found & -NEXT) == (word & -NEXT);
  }

  /// How many there are, live or revoked: a look at every cell.
  int size() {
    int size = 0;
    for (Table table = largest; table != null; table = table.smaller) {
      for (int cell = 0; cell < table.size(); cell++) {
        long word = table.word(cell);
        if (word != 0 && (word & LEFT) != LEFT) {
          size++;
        }
      }
    }
    return size;
  }

  /// Whether a live lease is meant by the query.
  boolean hasAny(Query query) {
    boolean[] found = new boolean[1];
    forEach(query, (_, _, _) -> found[0] = true);
    return found[0];
  }

  /// What is done with a live lease.
  @FunctionalInterface
  interface Action {
    /// Does it.
    ///
    /// @param word by which the lease is told from the next one in its cell
    void accept(Table table, int cell, long word);
  }

  /// Calls `action` with each live lease that is meant.
  void forEach(Query query, Action action) {
    long pages = (query.last() >>> 12) - (query.first() >>> 12) + 1;
    for (Table table = largest; table != null; table = table.smaller) {
      if (pages < table.size() / GROUP) {
        for (long page = 0; page < pages; page++) {
          int group = table.group(query.first() + (page << 12));
          forEach(table, group, group + GROUP, query, action);
        }
      } else {
        forEach(table, 0, table.size(), query, action);
      }
    }
  }

  private static void forEach(Table table, int from, int to, Query query, Action action) {
    for (int cell = from; cell < to; cell++) {
      long word = table.word(cell);
      if ((word & LEFT) == LIVE && table.isMeant(cell, query)) {
        VarHandle.loadLoadFence();
        // Otherwise the lease has ended, and the particulars may be of another, which is too young
        // to be meant.
        if (table.word(cell) == word) {
          action.accept(table, cell, word);
        }
      }
    }
  }

  AccessSection section() {
    return section;
  }
}
