package dev.sluice.models.spapr;

import dev.sluice.memory.Access;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/// The table of a window, in the hypervisor's memory: one word for each I/O page, in pages of 512
/// words that exist from the first entry that is not zero.
///
/// *A change knows whether anything uses what it replaces*, without a lock. A word is the [Tce]
/// with one bit more, set by [#use] before a translation of the entry leaves the model, and gone
/// with the entry:
///
/// - A translation marks the word by compare-and-set, from the very value it goes by. If the entry
///   changes first, the compare-and-set fails, and the translation goes by the new one.
/// - A change takes the old value away by compare-and-set. So each entry is taken away by exactly
///   one change, together with its mark; a mark that comes later is one of the new entry.
/// - Whatever came of an entry (a cached translation, an access under way, a mapping) came from a
///   translation that had marked it. So when a change takes an entry away that is not marked, there
///   is nothing to invalidate and nothing to wait for.
/// - When it is marked, the translation had begun its access section and taken its ticket of the
///   IOTLB before the compare-and-set of the mark, which came before that of the change, which
///   comes before the invalidation: so the invalidation sees the section, and the ticket is too old
///   to insert by.
///
/// Another bit beside the word would not do: the mark of an old entry could be taken for the new
/// one's, or be cleared for it.
///
/// An entry that maps nothing is never marked, and its translation is never cached: setting it
/// needs no invalidation.
final class TceTable {
  private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle PAGES = MethodHandles.arrayElementVarHandle(long[][].class);
  private static final VarHandle DIRECTORIES =
      MethodHandles.arrayElementVarHandle(long[][][].class);

  /// Entries in a page of the table.
  private static final int PAGE_ENTRIES = 512;

  private static final int PAGE_ENTRIES_SHIFT = 9;

  /// Pages in a directory.
  private static final int DIRECTORY_PAGES = 2048;

  /// Log2 of the entries under a directory.
  private static final int DIRECTORY_SHIFT = 20;

  /// What a directory takes, in pages of the budget.
  private static final int DIRECTORY_COST = 4;

  private final long entries;
  private final TceBudget budget;
  private final long[] @Nullable [] @Nullable [] directories;

  /// Pages taken from the budget. Guarded by this.
  private int taken;

  /// Whether the window is gone. Guarded by this.
  private boolean closed;

  /// A table of zeros.
  ///
  /// @param entries 1 to 2^40
  TceTable(long entries, TceBudget budget) {
    this.entries = entries;
    this.budget = budget;
    directories = new long[Math.toIntExact(((entries - 1) >>> DIRECTORY_SHIFT) + 1)][][];
  }

  /// How many there are.
  long entries() {
    return entries;
  }

  // --- the devices' side

  /// The entry for an access, marked as used if it allows it.
  ///
  /// @return as the guest wrote it
  long use(long index, Access access) {
    long[] page = page(index);
    if (page == null) {
      return 0;
    }
    int at = (int) index & (PAGE_ENTRIES - 1);
    long seen = (long) WORDS.getVolatile(page, at);
    while (Tce.allows(seen, access) && !Tce.isInUse(seen)) {
      long witness = (long) WORDS.compareAndExchange(page, at, seen, seen | Tce.IN_USE);
      if (witness == seen) {
        return seen;
      }
      seen = witness;
    }
    return Tce.asWritten(seen);
  }

  // --- the guest's side

  /// The entry, as the guest wrote it.
  long get(long index) {
    long[] page = page(index);
    return page == null
        ? 0
        : Tce.asWritten((long) WORDS.getVolatile(page, (int) index & (PAGE_ENTRIES - 1)));
  }

  /// Replaces one entry if what is there is not in use.
  ///
  /// @return false when it is, and nothing was changed
  boolean replaceUnused(long index, long tce) {
    long[] page = page(index);
    if (page == null) {
      return mustBeZero(tce);
    }
    int at = (int) index & (PAGE_ENTRIES - 1);
    long seen = (long) WORDS.getVolatile(page, at);
    while (!Tce.isInUse(seen)) {
      long witness = (long) WORDS.compareAndExchange(page, at, seen, tce);
      if (witness == seen) {
        return true;
      }
      seen = witness;
    }
    return false;
  }

  /// Replaces one entry.
  ///
  /// @return whether what was there is in use
  boolean replace(long index, long tce) {
    long[] page = page(index);
    if (page == null) {
      mustBeZero(tce);
      return false;
    }
    return replace(page, (int) index & (PAGE_ENTRIES - 1), tce);
  }

  /// Replaces entries by one and the same. What has never held anything costs nothing to clear.
  ///
  /// @return whether any of those that were there is in use
  boolean replaceAll(long first, long count, long tce) {
    boolean inUse = false;
    long end = first + count;
    for (long index = first; index < end; ) {
      long next;
      long @Nullable [] @Nullable [] directory = directory(index);
      long[] page = directory == null ? null : page(directory, index);
      if (page == null) {
        mustBeZero(tce);
        int absent = directory == null ? DIRECTORY_SHIFT : PAGE_ENTRIES_SHIFT;
        next = ((index >>> absent) + 1) << absent;
      } else {
        next = Math.min(end, ((index >>> PAGE_ENTRIES_SHIFT) + 1) << PAGE_ENTRIES_SHIFT);
        for (long at = index; at < next; at++) {
          inUse |= replace(page, (int) at & (PAGE_ENTRIES - 1), tce);
        }
      }
      index = next;
    }
    return inUse;
  }

  private static boolean replace(long[] page, int at, long tce) {
    return Tce.isInUse((long) WORDS.getAndSet(page, at, tce));
  }

  private static boolean mustBeZero(long tce) {
    if (tce != 0) {
      throw new IllegalStateException("no room was made for the entry");
    }
    return true;
  }

  // --- room

  /// Makes room for entries that are not zero: for all of them, or for none.
  ///
  /// @return false when there is not enough left, or the window is gone
  boolean makeRoom(long first, long count) {
    long firstPage = first >>> PAGE_ENTRIES_SHIFT;
    long lastPage = (first + count - 1) >>> PAGE_ENTRIES_SHIFT;
    for (long page = firstPage; page <= lastPage; page++) {
      if (page(page << PAGE_ENTRIES_SHIFT) == null) {
        return addPages(page, lastPage);
      }
    }
    return true;
  }

  private synchronized boolean addPages(long firstPage, long lastPage) {
    if (closed) {
      return false;
    }
    int missing = 0;
    for (long page = firstPage; page <= lastPage && missing <= budget.limit(); page++) {
      boolean isFirstOfDirectory = page == firstPage || (page & (DIRECTORY_PAGES - 1)) == 0;
      if (isFirstOfDirectory && directory(page << PAGE_ENTRIES_SHIFT) == null) {
        missing += DIRECTORY_COST;
      }
      missing += page(page << PAGE_ENTRIES_SHIFT) == null ? 1 : 0;
    }
    if (!budget.take(missing)) {
      return false;
    }
    taken += missing;
    for (long page = firstPage; page <= lastPage; page++) {
      addPage(page << PAGE_ENTRIES_SHIFT);
    }
    return true;
  }

  private void addPage(long index) {
    int at = (int) (index >>> DIRECTORY_SHIFT);
    long @Nullable [] @Nullable [] directory = directories[at];
    if (directory == null) {
      directory = new long[DIRECTORY_PAGES][];
      DIRECTORIES.setRelease(directories, at, directory);
    }
    if (page(directory, index) == null) {
      int inDirectory = (int) (index >>> PAGE_ENTRIES_SHIFT) & (DIRECTORY_PAGES - 1);
      PAGES.setRelease(directory, inDirectory, new long[PAGE_ENTRIES]);
    }
  }

  /// The window is gone: what the table took is given back.
  synchronized void close() {
    closed = true;
    budget.giveBack(taken);
    taken = 0;
  }

  private long @Nullable [] page(long index) {
    long @Nullable [] @Nullable [] directory = directory(index);
    return directory == null ? null : page(directory, index);
  }

  private static long @Nullable [] page(long[] @Nullable [] directory, long index) {
    return (long[])
        PAGES.getAcquire(directory, (int) (index >>> PAGE_ENTRIES_SHIFT) & (DIRECTORY_PAGES - 1));
  }

  private long @Nullable [] @Nullable [] directory(long index) {
    return (long[][]) DIRECTORIES.getAcquire(directories, (int) (index >>> DIRECTORY_SHIFT));
  }
}
