package dev.sluice.models.spapr;

import dev.sluice.memory.Access;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;

/// The table of a window, in the hypervisor's memory: one word for each I/O page, in [TcePages].
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
/// - When it is marked, the translation had begun its access section before the compare-and-set of
///   the mark, which came before that of the change, which comes before the invalidation: so the
///   invalidation sees the section. Nor does what it found stay in the IOTLB. `translate` had taken
///   its ticket before the mark, too, which is too old to insert by. After the quick form
///   ([dev.sluice.iommu.Iommu#walk]) core takes the ticket when the walk is over, but has read the
///   count of invalidations before it: it offers the page only if none came since, and then the
///   ticket is as good as one from before.
///
/// Another bit beside the word would not do: the mark of an old entry could be taken for the new
/// one's, or be cleared for it.
///
/// An entry that maps nothing is never marked, and its translation is never cached: setting it
/// needs no invalidation.
final class TceTable {
  private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);

  /// What was replaced.
  enum Replaced {
    /// Nothing, as there is no room for what should be there instead.
    NOTHING,
    /// What nothing uses.
    UNUSED,
    /// What is in use.
    USED;

    private static Replaced of(boolean inUse) {
      return inUse ? USED : UNUSED;
    }
  }

  private final long entries;
  private final TcePages pages;

  /// A table of zeros.
  ///
  /// @param entries 1 to 2^40
  TceTable(long entries, TceBudget budget) {
    this.entries = entries;
    pages = new TcePages(entries, budget);
  }

  /// How many there are.
  long entries() {
    return entries;
  }

  /// The window is gone.
  void close() {
    pages.close();
  }

  /// Gives back what holds no entry.
  ///
  /// @return how many pages of the budget that was
  int giveBack() {
    return pages.giveBack();
  }

  // --- the devices' side

  /// The entry for an access, marked as used if it allows it.
  ///
  /// @return as the guest wrote it
  long use(long index, Access access) {
    long[] page = pages.find(index);
    if (page == null) {
      return 0;
    }
    int at = TcePages.at(index);
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
    long[] page = pages.find(index);
    return page == null ? 0 : Tce.asWritten((long) WORDS.getVolatile(page, TcePages.at(index)));
  }

  /// Replaces one entry if what is there is not in use, and there is room.
  ///
  /// @return false when nothing was changed
  boolean replaceUnused(long index, long tce) {
    long[] page = pages.find(index);
    if (page == null) {
      return tce == 0;
    }
    int at = TcePages.at(index);
    long seen = (long) WORDS.getVolatile(page, at);
    // What is gone counts as in use, too.
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
  Replaced replace(long index, long tce) {
    long[] page = pages.find(index);
    long seen = page == null ? Tce.GONE : exchange(page, TcePages.at(index), tce);
    return seen == Tce.GONE ? replaceAll(index, 1, tce) : Replaced.of(Tce.isInUse(seen));
  }

  /// Replaces entries by one and the same. What has never held anything costs nothing to clear.
  Replaced replaceAll(long first, long count, long tce) {
    if (tce == 0) {
      return Replaced.of(clear(first, count));
    }
    if (!pages.hold(first, count)) {
      return Replaced.NOTHING;
    }
    try {
      boolean inUse = false;
      for (long i = 0; i < count; i++) {
        inUse |= set(first + i, tce);
      }
      return Replaced.of(inUse);
    } finally {
      pages.letGo(first, count);
    }
  }

  /// Replaces entries by the first ones of a list.
  Replaced replaceEach(long first, int count, TceList by) {
    long any = 0;
    for (int i = 0; i < count; i++) {
      any |= by.get(i);
    }
    if (any == 0) {
      return Replaced.of(clear(first, count));
    }
    if (!pages.hold(first, count)) {
      return Replaced.NOTHING;
    }
    try {
      boolean inUse = false;
      for (int i = 0; i < count; i++) {
        inUse |= set(first + i, by.get(i));
      }
      return Replaced.of(inUse);
    } finally {
      pages.letGo(first, count);
    }
  }

  /// Replaces an entry whose room is held.
  private boolean set(long index, long tce) {
    long[] page = Objects.requireNonNull(pages.find(index), "it is held");
    return Tce.isInUse((long) WORDS.getAndSet(page, TcePages.at(index), tce));
  }

  /// Replaces entries by zero, which needs no room.
  ///
  /// @return whether any of those that were there is in use
  private boolean clear(long first, long count) {
    boolean inUse = false;
    long end = first + count;
    for (long index = first; index < end; ) {
      long[] page = pages.find(index);
      if (page == null) {
        index = pages.endOfGap(index);
      } else {
        long next = Math.min(end, (index | (TcePages.ENTRIES - 1)) + 1);
        while (index < next) {
          long seen = exchange(page, TcePages.at(index), 0);
          inUse |= seen != Tce.GONE && Tce.isInUse(seen);
          index++;
        }
      }
    }
    return inUse;
  }

  /// Replaces a word, unless it is gone: it has to stay so.
  ///
  /// @return what was there
  private static long exchange(long[] page, int at, long tce) {
    long seen = (long) WORDS.getVolatile(page, at);
    while (seen != tce && seen != Tce.GONE) {
      long witness = (long) WORDS.compareAndExchange(page, at, seen, tce);
      if (witness == seen) {
        break;
      }
      seen = witness;
    }
    return seen;
  }
}
