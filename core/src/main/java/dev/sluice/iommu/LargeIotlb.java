package dev.sluice.iommu;

import dev.sluice.iommu.Translation.Page;
import dev.sluice.memory.Ram;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// The cached translations of one address space that do not fit a word of [Iotlb].
///
/// Direct mapped: a slot for each of [#SMALL_SLOTS] consecutive 4 KiB pages and for each of
/// [#LARGE_SLOTS] consecutive 2 MiB pages. A page of another size stands in the slot of the address
/// that missed.
///
/// A lookup takes no lock. Inserts and invalidations are made under this object's, by [Iotlb].
final class LargeIotlb {
  private static final int SMALL_SLOTS = 4096;
  private static final int LARGE_SLOTS = 1024;
  private static final int SMALL_SHIFT = 12;
  private static final int LARGE_SHIFT = 21;

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

  private final AtomicReferenceArray<@Nullable Entry> small =
      new AtomicReferenceArray<>(SMALL_SLOTS);
  private final AtomicReferenceArray<@Nullable Entry> large =
      new AtomicReferenceArray<>(LARGE_SLOTS);

  /// Whether some entry of `small` or `large` is of another size than its slots, so that it may
  /// stand in any slot. Guarded by this.
  private boolean oddSmall;

  private boolean oddLarge;

  /// How many entries were put into `small` and `large` since they were empty. Guarded by this.
  private int inSmall;

  private int inLarge;

  LargeIotlb() {}

  /// As [Iotlb#find].
  long find(long iova, int rights) {
    Entry entry = large.getAcquire(slot(large, iova, LARGE_SHIFT));
    if (entry != null && entry.grants(iova, rights)) {
      return entry.at(iova);
    }
    entry = small.getAcquire(slot(small, iova, SMALL_SHIFT));
    return entry != null && entry.grants(iova, rights) ? entry.at(iova) : Iotlb.MISS;
  }

  @Nullable Page lookup(long iova) {
    Entry entry = large.getAcquire(slot(large, iova, LARGE_SHIFT));
    if (entry != null && entry.page.contains(iova)) {
      return entry.page;
    }
    entry = small.getAcquire(slot(small, iova, SMALL_SHIFT));
    return entry != null && entry.page.contains(iova) ? entry.page : null;
  }

  void insert(Page page, long ram, long iova) {
    Entry entry = Entry.of(page, ram);
    if (page.shift() < LARGE_SHIFT) {
      oddSmall |= page.shift() != SMALL_SHIFT;
      inSmall++;
      small.set(slot(small, iova, SMALL_SHIFT), entry);
    } else {
      oddLarge |= page.shift() != LARGE_SHIFT;
      inLarge++;
      large.set(slot(large, iova, LARGE_SHIFT), entry);
    }
  }

  /// Drops what overlaps `[first, last]`.
  void drop(long first, long last) {
    boolean all = first == 0 && last == -1;
    if (inSmall != 0) {
      oddSmall = drop(small, first, last, SMALL_SHIFT, oddSmall);
      inSmall = all ? 0 : inSmall;
    }
    if (inLarge != 0) {
      oddLarge = drop(large, first, last, LARGE_SHIFT, oddLarge);
      inLarge = all ? 0 : inLarge;
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

  private static int slot(AtomicReferenceArray<@Nullable Entry> slots, long iova, int shift) {
    return (int) (iova >>> shift) & (slots.length() - 1);
  }
}
