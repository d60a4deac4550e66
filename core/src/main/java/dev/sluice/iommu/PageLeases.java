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
/// particulars beside it, written before the word. Cells are grouped by page, so that an invalidation
/// of a page looks at a handful however many leases there are; when a group is full, a larger table is
/// put before the others, and the old ones stay for the leases they have.
final class PageLeases {
  private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle RETURNED;

  static {
    try {
      RETURNED = MethodHandles.lookup().findVarHandle(PageLeases.class, "returned", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /// Cells of one group: one cache line of words.
  private static final int GROUP = 8;

  private static final int FIRST_TABLE = 64;

  /// Cells of the largest table; beyond, a mapping is a [Hold].
  private static final int LARGEST_TABLE = 65_536;

  /// In a word, what has become of the lease: usable, revoked, or given back by a thread that is not
  /// the owner, who has yet to free the cell.
  private static final long LIVE = 1;

  private static final long REVOKED = 2;

  private static final long LEFT = 3;

  /// What a word grows by from lease to lease.
  private static final long NEXT = 4;

  /// Cells and their particulars. A cell's word is 0 while it is free.
  static final class Table {
    final long[] words;
    final long[] tags;
    final long[] firsts;
    final long[] lasts;
    final long[] counts;
    final long[] rams;
    final @Nullable Table smaller;

    Table(int cells, @Nullable Table smaller) {
      words = new long[cells];
      tags = new long[cells];
      firsts = new long[cells];
      lasts = new long[cells];
      counts = new long[cells];
      rams = new long[cells];
      this.smaller = smaller;
    }

    int group(long iova) {
      return (int) (iova >>> 12) * GROUP & (words.length - 1);
    }

    /// A cell for a page that is free or waits for the owner to free it, or -1.
    int free(long iova) {
      int group = group(iova);
      for (int cell = group; cell < group + GROUP; cell++) {
        long word = word(cell);
        if (word == 0 || (word & LEFT) == LEFT) {
          return cell;
        }
      }
      return -1;
    }

    long word(int cell) {
      return (long) WORDS.getAcquire(words, cell);
    }

    /// Revokes the lease that has the word, unless it has ended.
    boolean revoke(int cell, long word) {
      return WORDS.compareAndSet(words, cell, word, word - LIVE + REVOKED);
    }

    /// Ends the lease that had the word when it was taken, for a thread that is not the owner.
    boolean leave(int cell, long word) {
      return WORDS.compareAndSet(words, cell, word, word | LEFT)
          || WORDS.compareAndSet(words, cell, word - LIVE + REVOKED, word | LEFT);
    }
  }

  /// Which leases are meant.
  ///
  /// @param count those taken before this count, see [InvalidationCount]
  /// @param number those on the RAM region with this number, or -1 for any
  record Query(long tagMask, long tagValue, long first, long last, long count, int number) {
    boolean matches(Table table, int cell) {
      return table.counts[cell] < count
          && ((table.tags[cell] ^ tagValue) & tagMask) == 0
          && Long.compareUnsigned(table.firsts[cell], last) <= 0
          && Long.compareUnsigned(first, table.lasts[cell]) <= 0
          && (number < 0 || Ram.number(table.rams[cell]) == number);
    }
  }

  private final AccessSection section;

  /// The largest table, which leads to the others. Written by the owner.
  private volatile @Nullable Table largest;

  /// Word of the lease before, without its state. The owner's.
  private long latest;

  /// How many leases were taken; by the owner, before the section ends.
  private long taken;

  /// Of how many the owner has freed the cells.
  private long returned;

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
    if (table.word(cell) != 0) {
      free(table, cell);
    }
    table.tags[cell] = tag;
    table.firsts[cell] = first;
    table.lasts[cell] = last;
    table.counts[cell] = count;
    table.rams[cell] = ram;
    taken++;
    latest += NEXT;
    WORDS.setRelease(table.words, cell, latest | LIVE);
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
    int cells = before == null ? FIRST_TABLE : before.words.length * 4;
    if (cells > LARGEST_TABLE) {
      return null;
    }
    Table made = new Table(cells, before);
    largest = made;
    return made;
  }

  /// Gives a lease back, revoked or not; what comes after the first time does nothing.
  void giveBack(Table table, int cell, long word) {
    if (section.isOwnedBy(Thread.currentThread())) {
      // Only the owner frees a cell, so one that has the lease's number keeps it until then, whatever
      // becomes of the lease.
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
    WORDS.setRelease(table.words, cell, 0L);
    RETURNED.setRelease(this, returned + 1);
    // The next lease's particulars come after the word was seen to be free.
    VarHandle.releaseFence();
  }

  private static boolean isOf(long found, long word) {
    return (found & -NEXT) == (word & -NEXT);
  }

  /// Whether there ever was a lease.
  boolean hadAny() {
    return largest != null;
  }

  /// Whether there may be leases: false only if every lease that was taken by a section that has
  /// ended is given back.
  boolean mayHaveAny() {
    if (largest == null) {
      return false;
    }
    long back = (long) RETURNED.getAcquire(this);
    VarHandle.loadLoadFence();
    return taken != back;
  }

  /// How many there are, live or revoked: a look at every cell.
  int size() {
    int size = 0;
    for (Table table = largest; table != null; table = table.smaller) {
      for (int cell = 0; cell < table.words.length; cell++) {
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
    /// @param word by which the lease is told from the next one in its cell
    void accept(Table table, int cell, long word);
  }

  /// Calls `action` with each live lease that is meant.
  void forEach(Query query, Action action) {
    long pages = (query.last() >>> 12) - (query.first() >>> 12) + 1;
    for (Table table = largest; table != null; table = table.smaller) {
      if (pages < table.words.length / GROUP) {
        for (long page = 0; page < pages; page++) {
          int group = table.group(query.first() + (page << 12));
          forEach(table, group, group + GROUP, query, action);
        }
      } else {
        forEach(table, 0, table.words.length, query, action);
      }
    }
  }

  private static void forEach(
      Table table, int from, int to, Query query, Action action) {
    for (int cell = from; cell < to; cell++) {
      long word = table.word(cell);
      if ((word & LEFT) == LIVE && query.matches(table, cell)) {
        VarHandle.loadLoadFence();
        // Otherwise the lease has ended, and the particulars may be of another, which is too young to
        // be meant.
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
