package dev.sluice.models.spapr;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.StampedLock;
import org.jspecify.annotations.Nullable;

/// Where the words of a table are: in pages of 512, which exist from the first entry that is not
/// zero, below directories of 2,048 pages.
///
/// *Pages without an entry are given back*, not when the last entry goes (who clears one would have
/// to count), but when the budget is used up and somebody needs a page. Then every page is looked
/// at, and one whose words are all zero is taken out:
///
/// - Each word is changed from zero to [Tce#GONE], by compare-and-set. An entry that is set
///   meanwhile makes that fail, and the page stays. Once all words are gone none is set in it any
///   more: who replaces a word asks what is there, does not replace this one, and comes to [#hold]
///   room. So an entry is never set in a page that has been taken out.
/// - To the devices, a word that is gone is an entry of zero, as it was before.
/// - A call that sets several entries must not find one of its pages gone between two of them. It
///   holds the room, which is a lock that such calls share; a page is taken out by who has it
///   alone, and who cannot have it at once leaves the page.
///
/// A directory is taken out when it has no page. Nothing is ever put into it again: pages are added
/// under this object's lock, below the directory that is there then.
final class TcePages {
  /// Entries in a page.
  static final int ENTRIES = 1 << 9;

  private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle PAGES = MethodHandles.arrayElementVarHandle(long[][].class);
  private static final VarHandle DIRECTORIES =
      MethodHandles.arrayElementVarHandle(long[][][].class);

  private static final int PAGE_SHIFT = 9;

  /// Pages in a directory.
  private static final int DIRECTORY_PAGES = 2048;

  /// Log2 of the entries under a directory.
  private static final int DIRECTORY_SHIFT = 20;

  /// What a directory takes, in pages of the budget.
  private static final int DIRECTORY_COST = 4;

  private final TceBudget budget;
  private final long[] @Nullable [] @Nullable [] directories;

  /// Held for reading by who sets several entries, for writing by who takes a page out.
  private final StampedLock room = new StampedLock();

  /// Pages taken from the budget. Guarded by this.
  private int taken;

  /// Whether the window is gone. Guarded by this.
  private boolean closed;

  /// No pages.
  ///
  /// @param entries 1 to 2^40
  TcePages(long entries, TceBudget budget) {
    this.budget = budget;
    directories = new long[Math.toIntExact(((entries - 1) >>> DIRECTORY_SHIFT) + 1)][][];
  }

  // --- looking

  /// The page that has an entry's word, at [#at]; or null, and the entry is zero.
  long @Nullable [] find(long index) {
    long @Nullable [] @Nullable [] directory = directory(index);
    return directory == null ? null : page(directory, index);
  }

  /// The place of an entry's word in its page.
  static int at(long index) {
    return (int) index & (ENTRIES - 1);
  }

  /// The first entry behind those of a page that is not there, or of a directory.
  long endOfGap(long index) {
    int shift = directory(index) == null ? DIRECTORY_SHIFT : PAGE_SHIFT;
    return ((index >>> shift) + 1) << shift;
  }

  private static long @Nullable [] page(long[] @Nullable [] directory, long index) {
    return (long[]) PAGES.getAcquire(directory, inDirectory(index));
  }

  private static int inDirectory(long index) {
    return (int) (index >>> PAGE_SHIFT) & (DIRECTORY_PAGES - 1);
  }

  private long @Nullable [] @Nullable [] directory(long index) {
    return (long[][]) DIRECTORIES.getAcquire(directories, (int) (index >>> DIRECTORY_SHIFT));
  }

  // --- room

  /// What [#hold] answers when there is no room.
  static final long NO_ROOM = 0;

  /// Makes room for entries that are not zero, for all of them or for none, which stays until
  /// [#letGo].
  ///
  /// @return for [#letGo]; or [#NO_ROOM]: there is not enough left, or the window is gone
  long hold(long first, long count) {
    while (makeRoom(first, count)) {
      long held = room.readLock();
      if (firstMissing(first, count) < 0) {
        return held;
      }
      // Given back as empty meanwhile.
      room.unlockRead(held);
    }
    return NO_ROOM;
  }

  /// The other end of [#hold].
  void letGo(long held) {
    room.unlockRead(held);
  }

  private boolean makeRoom(long first, long count) {
    long missing = firstMissing(first, count);
    if (missing < 0) {
      return true;
    }
    long lastPage = (first + count - 1) >>> PAGE_SHIFT;
    // The others' locks are taken without this one.
    return addPages(missing, lastPage) || (budget.collect() && addPages(missing, lastPage));
  }

  /// The number of the first page that is not there, or -1.
  private long firstMissing(long first, long count) {
    long lastPage = (first + count - 1) >>> PAGE_SHIFT;
    for (long page = first >>> PAGE_SHIFT; page <= lastPage; page++) {
      if (find(page << PAGE_SHIFT) == null) {
        return page;
      }
    }
    return -1;
  }

  private synchronized boolean addPages(long firstPage, long lastPage) {
    if (closed) {
      return false;
    }
    int missing = 0;
    for (long page = firstPage; page <= lastPage && missing <= budget.limit(); page++) {
      boolean isFirstOfDirectory = page == firstPage || (page & (DIRECTORY_PAGES - 1)) == 0;
      if (isFirstOfDirectory && directory(page << PAGE_SHIFT) == null) {
        missing += DIRECTORY_COST;
      }
      missing += find(page << PAGE_SHIFT) == null ? 1 : 0;
    }
    if (!budget.take(missing)) {
      return false;
    }
    if (taken == 0) {
      budget.add(this);
    }
    taken += missing;
    for (long page = firstPage; page <= lastPage; page++) {
      addPage(page << PAGE_SHIFT);
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
      PAGES.setRelease(directory, inDirectory(index), new long[ENTRIES]);
    }
  }

  // --- giving back

  /// Gives back the pages and directories without an entry, as far as nobody holds room.
  ///
  /// @return how many pages of the budget that was
  synchronized int giveBack() {
    if (closed) {
      return 0;
    }
    int given = 0;
    for (int i = 0; i < directories.length; i++) {
      long @Nullable [] @Nullable [] directory = directories[i];
      if (directory == null) {
        continue;
      }
      int left = 0;
      for (int j = 0; j < DIRECTORY_PAGES; j++) {
        long[] page = directory[j];
        if (page == null) {
          continue;
        }
        if (isEmpty(page) && takeOut(directory, j, page)) {
          given++;
        } else {
          left++;
        }
      }
      if (left == 0) {
        DIRECTORIES.setRelease(directories, i, null);
        given += DIRECTORY_COST;
      }
    }
    giveBack(given);
    return given;
  }

  /// A look without consequences.
  private static boolean isEmpty(long[] page) {
    for (int i = 0; i < ENTRIES; i++) {
      if ((long) WORDS.getOpaque(page, i) != 0) {
        return false;
      }
    }
    return true;
  }

  /// @return false when an entry is set, or somebody holds room
  private boolean takeOut(long[] @Nullable [] directory, int at, long[] page) {
    long alone = room.tryWriteLock();
    if (alone == 0) {
      return false;
    }
    try {
      for (int i = 0; i < ENTRIES; i++) {
        if (!WORDS.compareAndSet(page, i, 0L, Tce.GONE)) {
          restore(page, i);
          return false;
        }
      }
      PAGES.setRelease(directory, at, null);
      return true;
    } finally {
      room.unlockWrite(alone);
    }
  }

  /// Nobody else changes a word that is gone.
  private static void restore(long[] page, int count) {
    for (int i = 0; i < count; i++) {
      WORDS.setRelease(page, i, 0L);
    }
  }

  /// The window is gone: what the table took is given back.
  synchronized void close() {
    closed = true;
    giveBack(taken);
  }

  private void giveBack(int pages) {
    taken -= pages;
    budget.giveBack(pages);
    if (taken == 0) {
      budget.remove(this);
    }
  }
}
