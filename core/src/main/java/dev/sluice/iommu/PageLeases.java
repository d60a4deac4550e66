package dev.sluice.iommu;

import dev.sluice.memory.Ram;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
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

  /// In a word: taken and usable, or taken and revoked.
  private static final long LIVE = 1;

  private static final long REVOKED = 2;

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

    /// A free cell for a page, or -1.
    int free(long iova) {
      int group = group(iova);
      for (int cell = group; cell < group + GROUP; cell++) {
        if ((long) WORDS.getAcquire(words, cell) == 0) {
          return cell;
        }
      }
      return -1;
    }

    long word(int cell) {
      return (long) WORDS.getAcquire(words, cell);
    }

    boolean revoke(int cell, long word) {
      return WORDS.compareAndSet(words, cell, word, word - LIVE + REVOKED);
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

  /// How many the owner gave back.
  private long returned;

  /// How many others gave back.
  private final AtomicLong returnedByOthers = new AtomicLong();

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
    if (cell < 0) {
      table = tableWithRoom(first);
      if (table == null) {
        return false;
      }
      cell = table.free(first);
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

  /// Gives a lease back, revoked or not; once.
  void giveBack(Table table, int cell, long word) {
    if (section.isOwnedBy(Thread.currentThread())) {
      // Nobody else puts anything into a cell, so it has the lease's word, or 0 by another thread.
      if (isOf(table.word(cell), word)) {
        WORDS.setRelease(table.words, cell, 0L);
        RETURNED.setRelease(this, returned + 1);
      }
    } else if (!free(table, cell, word) && !free(table, cell, word - LIVE + REVOKED)) {
      return;
    }
    VarHandle.releaseFence();
    if (section.waits().isAwaited()) {
      section.waits().wake();
    }
  }

  private boolean free(Table table, int cell, long word) {
    if (!WORDS.compareAndSet(table.words, cell, word, 0L)) {
      return false;
    }
    returnedByOthers.incrementAndGet();
    return true;
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
    long back = (long) RETURNED.getAcquire(this) + returnedByOthers.get();
    VarHandle.loadLoadFence();
    return taken != back;
  }

  /// How many there are, about.
  int size() {
    return (int) (taken - returned - returnedByOthers.get());
  }

  /// Whether a live lease is meant by the query.
  boolean hasAny(Query query) {
    boolean[] found = new boolean[1];
    forEach(query, (_, _) -> found[0] = true);
    return found[0];
  }

  /// Calls `action` with each live lease that is meant: its table and cell.
  void forEach(Query query, BiConsumer<Table, Integer> action) {
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
      Table table, int from, int to, Query query, BiConsumer<Table, Integer> action) {
    for (int cell = from; cell < to; cell++) {
      long word = table.word(cell);
      if ((word & LIVE) != 0 && query.matches(table, cell)) {
        action.accept(table, cell);
      }
    }
  }

  AccessSection section() {
    return section;
  }
}
