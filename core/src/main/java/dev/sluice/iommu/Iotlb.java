package dev.sluice.iommu;

import dev.sluice.iommu.Translation.Page;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// The cached translations of one address space.
///
/// Direct mapped: a slot for each of [#SMALL_SLOTS] consecutive 4 KiB pages and for each of
/// [#LARGE_SLOTS] consecutive 2 MiB pages. An entry stays until another takes its slot or an
/// invalidation drops it, so a guest that forgets to invalidate meets its mistake. A page of
/// another size stands in the slot of the address that missed.
///
/// A lookup takes no lock. Inserts and invalidations, which are rare, share one: that makes "no
/// walk that began before an invalidation inserts after it" a comparison under the lock. Slots are
/// read and written as volatile, which is what [AccessGate] asks of all that a section relies on.
public final class Iotlb {
  private static final int SMALL_SLOTS = 4096;
  private static final int LARGE_SLOTS = 1024;
  private static final int SMALL_SHIFT = 12;
  private static final int LARGE_SHIFT = 21;

  private final long tag;
  private final AtomicReferenceArray<@Nullable Page> small;
  private final AtomicReferenceArray<@Nullable Page> large;
  private final Object changes = new Object();

  /// Counts invalidations; written under the lock, read without.
  private volatile long generation;

  /// Set once, under the lock: this cache has lost its place in the invalidator and must stay
  /// empty.
  private volatile boolean retired;

  /// Whether some entry of `small` or `large` is of another size than its slots, so that it may
  /// stand in any slot.
  private boolean oddSmall;

  private boolean oddLarge;

  Iotlb(long tag) {
    this(tag, SMALL_SLOTS, LARGE_SLOTS);
  }

  /// With other numbers of slots, each a power of two.
  Iotlb(long tag, int smallSlots, int largeSlots) {
    this.tag = tag;
    small = new AtomicReferenceArray<>(smallSlots);
    large = new AtomicReferenceArray<>(largeSlots);
  }

  /// The address space, by the model's numbering.
  public long tag() {
    return tag;
  }

  /// To be taken before the first table is read for a translation; [#insert] wants it back.
  public long ticket() {
    return generation;
  }

  /// Offers a translation.
  ///
  /// @param page what the walk found
  /// @param iova the address that missed, within the page
  /// @param ticket from [#ticket()], taken before the walk
  /// @return false when an invalidation has come since the ticket, whatever its range: the entry
  ///   may be stale and was not kept
  /// @throws IllegalArgumentException when the page is of another address space or does not hold
  ///   `iova`
  public boolean insert(Page page, long iova, long ticket) {
    if (page.tag() != tag || !page.contains(iova)) {
      throw new IllegalArgumentException(
          "%s does not hold 0x%x of the address space 0x%x".formatted(page, iova, tag));
    }
    synchronized (changes) {
      if (ticket != generation || retired) {
        return false;
      }
      if (page.shift() < LARGE_SHIFT) {
        oddSmall |= page.shift() != SMALL_SHIFT;
        small.set(slot(small, iova, SMALL_SHIFT), page);
      } else {
        oddLarge |= page.shift() != LARGE_SHIFT;
        large.set(slot(large, iova, LARGE_SHIFT), page);
      }
      return true;
    }
  }

  /// The cached page of an address, or null. Within a section; for a model whose requester was
  /// bound elsewhere, so that the lookup before it asked the model was made there.
  public @Nullable Page lookup(long iova) {
    Page page = small.get(slot(small, iova, SMALL_SHIFT));
    if (page != null && page.contains(iova)) {
      return page;
    }
    page = large.get(slot(large, iova, LARGE_SHIFT));
    return page != null && page.contains(iova) ? page : null;
  }

  /// Drops what overlaps `[first, last]` and refuses results of walks that are under way.
  void drop(long first, long last) {
    synchronized (changes) {
      generation++;
      oddSmall = drop(small, first, last, SMALL_SHIFT, oddSmall);
      oddLarge = drop(large, first, last, LARGE_SHIFT, oddLarge);
    }
  }

  /// Empties the cache for good.
  void retire() {
    synchronized (changes) {
      retired = true;
    }
    drop(0, -1);
  }

  boolean isRetired() {
    return retired;
  }

  /// Drops what overlaps the range from one of the two arrays.
  ///
  /// @return whether entries of an odd size are left
  private static boolean drop(
      AtomicReferenceArray<@Nullable Page> slots, long first, long last, int shift, boolean odd) {
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
      Page left = dropSlot(slots, slot, first, last);
      oddLeft |= left != null && left.shift() != shift;
    }
    return oddLeft;
  }

  /// Empties a slot if its page overlaps the range.
  ///
  /// @return the page that stays, or null
  private static @Nullable Page dropSlot(
      AtomicReferenceArray<@Nullable Page> slots, int slot, long first, long last) {
    Page page = slots.getPlain(slot);
    if (page != null
        && Long.compareUnsigned(page.iova(), last) <= 0
        && Long.compareUnsigned(first, page.last()) <= 0) {
      slots.set(slot, null);
      return null;
    }
    return page;
  }

  private static int slot(AtomicReferenceArray<@Nullable Page> slots, long iova, int shift) {
    return (int) (iova >>> shift) & (slots.length() - 1);
  }
}
