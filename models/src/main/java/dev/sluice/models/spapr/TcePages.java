package dev.sluice.models.spapr;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
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
///   holds its pages, each by a count in the page, and no page is taken out that somebody holds.
///
/// A directory is taken out when it has no page. Nothing is ever put into it again: pages are added
/// under this object's lock, below the directory that is there then.
///
/// *Looking takes no lock*; only taking a page out does, for as long as that one page takes. Nor
/// does it cost the clearing of entries anything that a guest can have looks repeated: each page
/// remembers at which entry the last look found it not empty, and the next begins there. It reads
/// one word of each page, and further ones only of a page of which that entry has been cleared,
/// which took the guest a call.
///
/// *Room is refused only when there is none*. Who gets none looks at every page, and asks again if
/// anybody has given something back since he asked, not only he himself: another may have been
/// quicker to empty the same pages. What a page is worth is given back before the page disappears,
/// so that who does not find it any more finds that.
final class TcePages {
  /// Entries in a page.
  static final int ENTRIES = 1 << 9;

  private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle PAGES = MethodHandles.arrayElementVarHandle(long[][].class);
  private static final VarHandle DIRECTORIES =
      MethodHandles.arrayElementVarHandle(long[][][].class);

  private static final int PAGE_SHIFT = 9;

  /// The place in a page, behind its entries, of how many calls hold it; or [#TAKEN_OUT], also
  /// while that is tried.
  private static final int HOLDERS = ENTRIES;

  /// The place in a page of the entry at which a look found it not empty. A hint.
  private static final int FOUND = ENTRIES + 1;

  private static final int PAGE_WORDS = ENTRIES + 2;

  private static final long TAKEN_OUT = -1;

  /// Pages in a directory.
  private static final int DIRECTORY_PAGES = 2048;

  /// Log2 of the entries under a directory.
  private static final int DIRECTORY_SHIFT = 20;

  /// What a directory takes, in pages of the budget.
  private static final int DIRECTORY_COST = 4;

  /// How often a call asks for room. It asks again only when pages were given back meanwhile, so
  /// each vain try but the last means that other processors took what it was after. Who loses that
  /// race this often shares the last pages with processors that set and clear without end, and is
  /// refused rather than kept for as long as they please.
  private static final int MAX_TRIES = 8;

  private final TceBudget budget;
  private final long[] @Nullable [] @Nullable [] directories;

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

  /// Makes room for entries that are not zero, for all of them or for none, which stays until
  /// [#letGo].
  ///
  /// @return false when there is not enough left, or the window is gone
  boolean hold(long first, long count) {
    long firstPage = first >>> PAGE_SHIFT;
    long lastPage = lastPage(first, count);
    if (lastPage - firstPage >= budget.limit()) {
      return false;
    }
    if (areThere(firstPage, lastPage) && holdThose(firstPage, lastPage)) {
      return true;
    }
    for (int tries = 1; ; tries++) {
      long givenBefore = budget.givenBack();
      if (addAndHold(firstPage, lastPage)) {
        return true;
      }
      // The others' locks are taken without this one.
      if (tries == MAX_TRIES || !budget.collect(givenBefore)) {
        return false;
      }
    }
  }

  /// The other end of [#hold].
  void letGo(long first, long count) {
    letGoOf(first >>> PAGE_SHIFT, lastPage(first, count) + 1);
  }

  private static long lastPage(long first, long count) {
    return (first + count - 1) >>> PAGE_SHIFT;
  }

  /// A look without consequences. Who looks before it holds the first page keeps none from others
  /// for nothing.
  private boolean areThere(long firstPage, long lastPage) {
    for (long page = firstPage; page <= lastPage; page++) {
      if (find(page << PAGE_SHIFT) == null) {
        return false;
      }
    }
    return true;
  }

  /// Holds all of them or none.
  private boolean holdThose(long firstPage, long lastPage) {
    for (long number = firstPage; number <= lastPage; number++) {
      long[] page = find(number << PAGE_SHIFT);
      if (page == null || !hold(page)) {
        // Given back as empty meanwhile.
        letGoOf(firstPage, number);
        return false;
      }
    }
    return true;
  }

  private static boolean hold(long[] page) {
    long holders = (long) WORDS.getOpaque(page, HOLDERS);
    while (holders != TAKEN_OUT) {
      long witness = (long) WORDS.compareAndExchange(page, HOLDERS, holders, holders + 1);
      if (witness == holders) {
        return true;
      }
      holders = witness;
    }
    return false;
  }

  private void letGoOf(long firstPage, long endPage) {
    for (long number = firstPage; number < endPage; number++) {
      long[] page = Objects.requireNonNull(find(number << PAGE_SHIFT), "it is held");
      WORDS.getAndAddRelease(page, HOLDERS, -1L);
    }
  }

  private synchronized boolean addAndHold(long firstPage, long lastPage) {
    if (closed) {
      return false;
    }
    int missing = 0;
    for (long page = firstPage; page <= lastPage; page++) {
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
      // None is being taken out: that has this lock.
      hold(pageFor(page << PAGE_SHIFT));
    }
    return true;
  }

  /// The page of an entry, which is made if need be.
  private long[] pageFor(long index) {
    int at = (int) (index >>> DIRECTORY_SHIFT);
    long @Nullable [] @Nullable [] directory = directories[at];
    if (directory == null) {
      directory = new long[DIRECTORY_PAGES][];
      DIRECTORIES.setRelease(directories, at, directory);
    }
    long[] page = page(directory, index);
    if (page == null) {
      page = new long[PAGE_WORDS];
      PAGES.setRelease(directory, inDirectory(index), page);
    }
    return page;
  }

  // --- giving back

  /// Gives back the pages and directories without an entry that nobody holds.
  ///
  /// @return how many pages of the budget that was
  int giveBack() {
    int given = 0;
    for (int i = 0; i < directories.length; i++) {
      long @Nullable [] @Nullable [] directory = (long[][]) DIRECTORIES.getAcquire(directories, i);
      if (directory != null) {
        given += giveBack(i, directory);
      }
    }
    return given;
  }

  private int giveBack(int at, long[] @Nullable [] directory) {
    int given = 0;
    for (int i = 0; i < DIRECTORY_PAGES; i++) {
      long[] page = (long[]) PAGES.getAcquire(directory, i);
      if (page != null && isEmpty(page) && takeOut(directory, i, page)) {
        given++;
      }
    }
    return hasNoPage(directory) && takeOut(at) ? given + DIRECTORY_COST : given;
  }

  /// A look without consequences. A page that somebody is taking out right now is empty: who waits
  /// for his lock then has the room, or knows that the page stays.
  private static boolean isEmpty(long[] page) {
    int found = (int) (long) WORDS.getOpaque(page, FOUND);
    for (int i = 0; i < ENTRIES; i++) {
      int at = (found + i) & (ENTRIES - 1);
      long word = (long) WORDS.getOpaque(page, at);
      if (word != 0 && word != Tce.GONE) {
        WORDS.setOpaque(page, FOUND, (long) at);
        return false;
      }
    }
    return true;
  }

  private static boolean hasNoPage(long[] @Nullable [] directory) {
    for (int i = 0; i < DIRECTORY_PAGES; i++) {
      if (PAGES.getAcquire(directory, i) != null) {
        return false;
      }
    }
    return true;
  }

  /// @return false when an entry is set, somebody holds the page, or another has taken it out
  private synchronized boolean takeOut(long[] @Nullable [] directory, int at, long[] page) {
    if (closed || !WORDS.compareAndSet(page, HOLDERS, 0L, TAKEN_OUT)) {
      return false;
    }
    for (int i = 0; i < ENTRIES; i++) {
      if (!WORDS.compareAndSet(page, i, 0L, Tce.GONE)) {
        restore(page, i);
        return false;
      }
    }
    giveBack(1);
    PAGES.setRelease(directory, at, null);
    return true;
  }

  /// Nobody else changes a word that is gone, and nobody holds the page.
  private static void restore(long[] page, int count) {
    for (int i = 0; i < count; i++) {
      WORDS.setRelease(page, i, 0L);
    }
    WORDS.setRelease(page, HOLDERS, 0L);
  }

  /// @return false when a page has come meanwhile, or another has taken the directory out
  private synchronized boolean takeOut(int at) {
    long @Nullable [] @Nullable [] directory = directories[at];
    if (closed || directory == null || !hasNoPage(directory)) {
      return false;
    }
    giveBack(DIRECTORY_COST);
    DIRECTORIES.setRelease(directories, at, null);
    return true;
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
