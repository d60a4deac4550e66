package dev.sluice.iommu;

import dev.sluice.iommu.Translation.Page;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.Ram;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// The cached translations of one address space that do not fit a word of [Iotlb].
///
/// A page of 2 MiB that lies in RAM, aligned there as in the address space, is one word, too, in a
/// table with a slot for each of [#LARGE_SLOTS] consecutive pages of that size:
///
/// ```text
/// 63             48 47                    21 20 19 18  17  16                       0
/// +----------------+------------------------+-----+--+---+---------------------------+
/// | IOVA bits 46:31|  RAM address, 47:21    |  -  |W | R | IOVA bits 63:47           |
/// +----------------+------------------------+-----+--+---+---------------------------+
/// ```
///
/// All others are objects, in a direct-mapped table with a slot for each of [#SMALL_SLOTS]
/// consecutive 4 KiB pages, or in one as the words' if they have 2 MiB or more. A page of another
/// size stands in the slot of the address that missed.
///
/// A lookup takes no lock. Inserts and invalidations are made under this object's, by [Iotlb].
final class LargeIotlb {
  private static final int SMALL_SLOTS = 4096;
  private static final int LARGE_SLOTS = 1024;
  private static final int SMALL_SHIFT = 12;
  private static final int LARGE_SHIFT = 21;
  private static final long IN_LARGE = (1L << LARGE_SHIFT) - 1;

  private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final int TAG_ROTATION = 17;
  private static final long TAG = 0xFFFF_0000_0001_FFFFL;
  private static final long FRAME = 0xFFFF_FFE0_0000L;
  private static final int RIGHTS_SHIFT = 17;
  private static final long RIGHTS = 3L << RIGHTS_SHIFT;

  /// A page with what a lookup asks of it at hand.
  ///
  /// @param iova the page's first I/O virtual address
  /// @param shift log2 of its bytes
  /// @param rights as [dev.sluice.memory.Access#rights()]
  /// @param ram RAM address of its first byte, or [Ram#NOWHERE]
  private record Entry(long iova, int shift, int rights, long ram, Page page) {
    static Entry of(Page page, long ram) {
      int rights = (page.readable() ? 1 : 0) | (page.writable() ? 2 : 0);
      return new Entry(page.iova(), page.shift(), rights, ram, page);
    }

    boolean grants(long asked, int wanted) {
      return ((asked ^ iova) >>> shift | (~rights & wanted)) == 0;
    }

    long at(long asked) {
      return ram == Ram.NOWHERE ? Ram.NOWHERE : ram + (asked - iova);
    }
  }

  private final long tag;
  private final GuestMemory memory;

  /// 0 where there is none.
  private final long[] words = new long[LARGE_SLOTS];

  private final AtomicReferenceArray<@Nullable Entry> small =
      new AtomicReferenceArray<>(SMALL_SLOTS);
  private final AtomicReferenceArray<@Nullable Entry> large =
      new AtomicReferenceArray<>(LARGE_SLOTS);

  /// Whether some entry of `small` or `large` is of another size than its slots, so that it may
  /// stand in any slot. Guarded by this.
  private boolean oddSmall;

  private boolean oddLarge;

  /// Whether anything was put into the tables since everything was dropped. Guarded by this.
  private boolean inSmall;

  private boolean inLarge;

  private boolean inWords;

  LargeIotlb(long tag, GuestMemory memory) {
    this.tag = tag;
    this.memory = memory;
  }

  /// As [Iotlb#find].
  long find(long iova, int rights) {
    long word = (long) WORDS.getAcquire(words, slot(iova));
    if ((difference(word, iova) | (~word & (long) rights << RIGHTS_SHIFT)) == 0) {
      return (word & FRAME) | (iova & IN_LARGE);
    }
    Entry entry = large.getAcquire(slot(iova));
    if (entry != null && entry.grants(iova, rights)) {
      return entry.at(iova);
    }
    entry = small.getAcquire(slot(small, iova, SMALL_SHIFT));
    return entry != null && entry.grants(iova, rights) ? entry.at(iova) : Iotlb.MISS;
  }

  @Nullable Page lookup(long iova) {
    long word = (long) WORDS.getAcquire(words, slot(iova));
    if (word != 0 && difference(word, iova) == 0) {
      return page(word, iova);
    }
    Entry entry = large.getAcquire(slot(iova));
    if (entry != null && entry.page.contains(iova)) {
      return entry.page;
    }
    entry = small.getAcquire(slot(small, iova, SMALL_SHIFT));
    return entry != null && entry.page.contains(iova) ? entry.page : null;
  }

  /// 0 if the word, if it is a page's, is that of this address.
  private static long difference(long word, long iova) {
    return (word ^ Long.rotateLeft(iova, TAG_ROTATION)) & TAG;
  }

  private @Nullable Page page(long word, long iova) {
    long address = memory.addressOf(word & FRAME);
    long rights = (word & RIGHTS) >>> RIGHTS_SHIFT;
    return address == GuestMemory.NO_ADDRESS
        ? null
        : new Page(
            iova & ~IN_LARGE, address, LARGE_SHIFT, (rights & 1) != 0, (rights & 2) != 0, tag);
  }

  void insert(Page page, long ram, long iova) {
    Entry entry = Entry.of(page, ram);
    if (page.shift() < LARGE_SHIFT) {
      oddSmall |= page.shift() != SMALL_SHIFT;
      inSmall = true;
      small.set(slot(small, iova, SMALL_SHIFT), entry);
      return;
    }
    // What it replaces may be in the other table.
    boolean fits = page.shift() == LARGE_SHIFT && ram != Ram.NOWHERE && (ram & IN_LARGE) == 0;
    int place = slot(iova);
    if (fits) {
      inWords = true;
      WORDS.setRelease(words, place, entry.rights == 0 ? 0 : word(iova, ram, entry.rights));
      dropSlot(large, place, page.iova(), page.last());
    } else {
      oddLarge |= page.shift() != LARGE_SHIFT;
      inLarge = true;
      dropWord(place, page.iova(), page.last());
      large.set(place, entry);
    }
  }

  private static long word(long iova, long ram, int rights) {
    return (Long.rotateLeft(iova, TAG_ROTATION) & TAG) | ram | (long) rights << RIGHTS_SHIFT;
  }

  /// Drops what overlaps `[first, last]`.
  void drop(long first, long last) {
    boolean all = first == 0 && last == -1;
    if (inSmall) {
      oddSmall = drop(small, first, last, SMALL_SHIFT, oddSmall);
      inSmall = !all;
    }
    if (inLarge) {
      oddLarge = drop(large, first, last, LARGE_SHIFT, oddLarge);
      inLarge = !all;
    }
    if (inWords) {
      dropWords(first, last);
      inWords = !all;
    }
  }

  private void dropWords(long first, long last) {
    long firstPage = first >>> LARGE_SHIFT;
    long pages = Math.min((last >>> LARGE_SHIFT) - firstPage + 1, LARGE_SLOTS);
    for (long i = 0; i < pages; i++) {
      dropWord((int) (firstPage + i) & (LARGE_SLOTS - 1), first, last);
    }
  }

  private void dropWord(int slot, long first, long last) {
    long base = Long.rotateRight(words[slot] & TAG, TAG_ROTATION) | (long) slot << LARGE_SHIFT;
    if (Long.compareUnsigned(base, last) <= 0
        && Long.compareUnsigned(first, base | IN_LARGE) <= 0) {
      WORDS.setRelease(words, slot, 0);
    }
  }

  /// Drops what overlaps the range from one of the two arrays.
  ///
  /// @return whether entries of an odd size are left
  private static boolean drop(
      AtomicReferenceArray<@Nullable Entry> slots, long first, long last, int shift, boolean odd) {
    long firstPage = first >>> shift;
    long pages = (last >>> shift) - firstPage + 1;
    if (!odd && pages < slots.length()) {
      for (long i = 0; i < pages; i++) {
        dropSlot(slots, (int) (firstPage + i) & (slots.length() - 1), first, last);
      }
      return false;
    }
    boolean oddLeft = false;
    for (int slot = 0; slot < slots.length(); slot++) {
      Entry left = dropSlot(slots, slot, first, last);
      oddLeft |= left != null && left.page.shift() != shift;
    }
    return oddLeft;
  }

  /// Empties a slot if its page overlaps the range.
  ///
  /// @return the entry that stays, or null
  private static @Nullable Entry dropSlot(
      AtomicReferenceArray<@Nullable Entry> slots, int slot, long first, long last) {
    Entry entry = slots.getPlain(slot);
    if (entry != null
        && Long.compareUnsigned(entry.page.iova(), last) <= 0
        && Long.compareUnsigned(first, entry.page.last()) <= 0) {
      slots.set(slot, null);
      return null;
    }
    return entry;
  }

  private static int slot(long iova) {
    return (int) (iova >>> LARGE_SHIFT) & (LARGE_SLOTS - 1);
  }

  private static int slot(AtomicReferenceArray<@Nullable Entry> slots, long iova, int shift) {
    return (int) (iova >>> shift) & (slots.length() - 1);
  }
}
