package dev.sluice.iommu;

import dev.sluice.iommu.Translation.Page;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.Ram;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// The cached translations of one address space, for accesses through one [GuestMemory].
///
/// Direct mapped, one slot for each of [#SLOTS] consecutive 4 KiB pages; a slot is one word, so it
/// is read, replaced and emptied as a whole. A page leads straight to RAM:
///
/// ```text
/// 63              48 47                12 11 10  9  8  7        0
/// +-----------------+--------------------+--+--+--+--+-----------+
/// | IOVA bits 39:24 | RAM address, 47:12 |  G  |W |R | IOVA 47:40|   a page, W or R set
/// +-----------------+--------------------+--+--+--+--+-----------+
/// |0|      number of the invalidation    |           0           |   emptied by an invalidation
/// |1| who, 62:46 | count then, low bits  |who  | 0|0 |    who    |   emptied by one walk
/// +--------------------------------------+-----------------------+
/// ```
///
/// The frame stands where the result has it, and what is compared stands as in the address rotated
/// left by 24: so the processor has nothing to do between the word and the result but to mask.
/// (That brings IOVA bits 51:50 to where G is; they stand there together, combined by xor.)
///
/// Bits 63 to 48 of the addresses are the same in all words: those of the first page that is
/// inserted, as a guest's buffers mostly lie together. What does not fit (large pages, pages with
/// other high bits, memory that is not RAM) stands in [LargeIotlb].
///
/// An entry stays until another takes its slot or an invalidation drops it, so a guest that forgets
/// to invalidate meets its mistake. An invalidation empties the slots of its range whatever they
/// hold. One that would empty all of them gives the cache another *generation* (G) instead, which
/// makes a page of an earlier one no page; every fourth empties the slots, as generations come
/// back.
///
/// *No walk that began before an invalidation inserts after it*, without a lock: a walk's result
/// may only replace an emptiness that is no younger than the walk's [#ticket], or the walk's own.
/// The emptiness that the invalidation leaves is younger; and once it is there, the walk's
/// compare-and-set of an older one fails. Where the generation has changed instead, a walk asks
/// whether that was before its ticket, and if it changes after that, what it inserts has the old
/// one. A slot that holds another page is first emptied by the walk itself, under a mark that no
/// other walk has: were it enough that the slot looks as before, it might have been emptied and
/// filled alike in between.
public final class Iotlb {
  /// Pages of 4 KiB, 16 MiB in all: 32 KiB of words, which stay in a processor's first-level cache.
  static final int SLOTS = 4096;

  /// What [#find] answers when there is nothing.
  public static final long MISS = Ram.NOWHERE;

  private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle GENERATION;

  static {
    try {
      GENERATION = MethodHandles.lookup().findVarHandle(Iotlb.class, "generation", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private static final int PAGE_SHIFT = 12;
  private static final long IN_PAGE = (1L << PAGE_SHIFT) - 1;

  /// IOVA bits that a word can tell apart.
  private static final int WIDTH = 48;

  private static final int TAG_ROTATION = 24;
  private static final long TAG = 0xFFFF_0000_0000_00FFL;
  private static final long FRAME = 0xFFFF_FFFF_F000L;
  private static final int RIGHTS_SHIFT = 8;
  private static final long RIGHTS = 3 << RIGHTS_SHIFT;
  private static final int NEXT_GENERATION = 1 << 10;
  private static final int GENERATION_BITS = 3 << 10;

  private static final int EMPTY_SHIFT = 12;

  /// Bits of the number of a walk, and how far they are shifted to stand in a mark: around the
  /// count and the rights. They have to be many: another walk must not come to the same number
  /// while the first one is at work.
  private static final long WHO_LOW = 0xFF;

  private static final long WHO_MIDDLE = 0x300;
  private static final int WHO_MIDDLE_SHIFT = 2;
  private static final long WHO_HIGH = 0x7FF_FC00;
  private static final int WHO_HIGH_SHIFT = 36;
  private static final long COUNT_IN_MARK = (1L << 34) - 1;

  private final long tag;
  private final GuestMemory memory;
  private final InvalidationCount count;
  private final long[] words;

  /// One less than there are slots. A field, as a lookup has fewer registers to keep than it would
  /// have with the length of the array.
  private final int slotMask;

  private final AtomicInteger marks = new AtomicInteger();

  /// Bits 63 to 48 of the addresses that the words are for; [#UNDECIDED] before the first of them.
  /// Written once, under this; who reads it too early finds nothing cached yet. A long, like the
  /// generation, which a lookup can compare where it is; read in two halves it would fit no
  /// address.
  private long high = UNDECIDED;

  private static final long UNDECIDED = -1;

  /// The generation of the pages that count, in its place in a word. Written by invalidations, one
  /// at a time. A lookup needs no order: it is in a section, or asks for the count afterwards.
  private long generation;

  /// The number of the invalidation that began the generation. Written before it.
  private long generationSince;

  /// Null until there is something to put into it.
  private volatile @Nullable LargeIotlb large;

  /// Set once: nobody may be bound to it any more.
  private volatile boolean retired;

  Iotlb(long tag, GuestMemory memory, InvalidationCount count) {
    this(tag, memory, count, SLOTS);
  }

  /// With another number of slots, a power of two.
  Iotlb(long tag, GuestMemory memory, InvalidationCount count, int slots) {
    this.tag = tag;
    this.memory = memory;
    this.count = count;
    words = new long[slots];
    slotMask = slots - 1;
  }

  /// The address space, by the model's numbering.
  public long tag() {
    return tag;
  }

  GuestMemory memory() {
    return memory;
  }

  // --- lookups

  /// The RAM behind an address, if a cached translation allows the access.
  ///
  /// Within an access section; or without one if the access then asks [Endpoint#isUndisturbed].
  ///
  /// @param rights as [dev.sluice.memory.Access#rights()]
  /// @return a [Ram] address, good to the end of the 4 KiB page that holds `iova`; or [#MISS]
  public long find(long iova, int rights) {
    long word = (long) WORDS.getAcquire(words, slot(iova));
    if ((difference(word, iova) | (~word & (long) rights << RIGHTS_SHIFT)) == 0) {
      return (word & FRAME) | (iova & IN_PAGE);
    }
    LargeIotlb other = large;
    return other == null ? MISS : other.find(iova, rights);
  }

  /// The cached page of an address, or null. Within a section; for a model whose requester was
  /// bound elsewhere, so that the lookup before it asked the model was made there.
  public @Nullable Page lookup(long iova) {
    long word = (long) WORDS.getAcquire(words, slot(iova));
    if (isPageOf(word, iova)) {
      long base = iova & ~IN_PAGE;
      long address = memory.addressOf(word & FRAME);
      int rights = (int) (word & RIGHTS) >>> RIGHTS_SHIFT;
      return address == GuestMemory.NO_ADDRESS
          ? null
          : new Page(base, address, PAGE_SHIFT, (rights & 1) != 0, (rights & 2) != 0, tag);
    }
    LargeIotlb other = large;
    return other == null ? null : other.lookup(iova);
  }

  private boolean isPageOf(long word, long iova) {
    return (word & RIGHTS) != 0 && difference(word, iova) == 0;
  }

  /// 0 if the word, if it is a page's, is that of this address in the present generation.
  private long difference(long word, long iova) {
    return ((word ^ Long.rotateLeft(iova, TAG_ROTATION) ^ generation) & (TAG | GENERATION_BITS))
        | (iova >>> WIDTH ^ high);
  }

  private int slot(long iova) {
    return (int) (iova >>> PAGE_SHIFT) & slotMask;
  }

  // --- walks

  private static final int WALKED_RIGHTS_SHIFT = 48;
  private static final long WALKED_RAM = (1L << WALKED_RIGHTS_SHIFT) - 1;

  /// What [Iommu#walk] answers: a page of 4 KiB, as a word.
  ///
  /// @param ram [Ram] address of its first byte, aligned like the page
  /// @param rights as [dev.sluice.memory.Access#rights()], at least those that were asked for
  public static long walked(long ram, int rights) {
    return ram | (long) rights << WALKED_RIGHTS_SHIFT;
  }

  /// The RAM behind an address of a page that was walked for.
  static long ramAddress(long walked, long iova) {
    return (walked & WALKED_RAM) | (iova & IN_PAGE);
  }

  /// To be taken before the first table is read for a translation of `iova`; [#insert] wants it
  /// back.
  public long ticket(long iova) {
    long now = count.get();
    if (iova >>> WIDTH != high) {
      return now;
    }
    int slot = slot(iova);
    long word = (long) WORDS.getAcquire(words, slot);
    if (isEmptiedByInvalidation(word)) {
      return now;
    }
    long mark = mark(marks.getAndIncrement(), now);
    return WORDS.compareAndSet(words, slot, word, mark) ? mark : now;
  }

  /// @param who number of the walk, of which 27 bits stand in the mark
  /// @param now the count, of which 34 bits do
  static long mark(long who, long now) {
    return Long.MIN_VALUE
        | (who & WHO_HIGH) << WHO_HIGH_SHIFT
        | (now & COUNT_IN_MARK) << EMPTY_SHIFT
        | (who & WHO_MIDDLE) << WHO_MIDDLE_SHIFT
        | (who & WHO_LOW);
  }

  /// Whether a walk with this ticket began before an invalidation. A mark has only the low bits of
  /// the count at its time, 2^33 invalidations, and no walk takes as long as those.
  private boolean isOlder(long ticket, long number) {
    long now = count.get();
    long began = ticket >= 0 ? ticket : now - (now - (ticket >>> EMPTY_SHIFT) & COUNT_IN_MARK);
    return began < number;
  }

  private static boolean isEmptiedByInvalidation(long word) {
    return word >= 0 && (word & RIGHTS) == 0;
  }

  /// Offers a translation.
  ///
  /// @param page what the walk found
  /// @param iova the address that missed, within the page
  /// @param ticket from [#ticket], taken before the walk
  /// @return false when an invalidation has come since the ticket, or another walk was in the way:
  ///   the entry may be stale and was not kept
  /// @throws IllegalArgumentException when the page is of another address space, does not hold
  ///   `iova`, or is smaller than 4 KiB
  public boolean insert(Page page, long iova, long ticket) {
    if (page.tag() != tag || !page.contains(iova)) {
      throw new IllegalArgumentException(
          "%s does not hold 0x%x of the address space 0x%x".formatted(page, iova, tag));
    }
    if (page.shift() < PAGE_SHIFT) {
      throw new IllegalArgumentException("a part of a page cannot be cached: " + page);
    }
    int rights = (page.readable() ? 1 : 0) | (page.writable() ? 2 : 0);
    if (page.shift() == PAGE_SHIFT && hasWords(iova)) {
      long ram = memory.ramAddress(page.address(), GuestMemory.PAGE, page.writable());
      if (ram != Ram.NOWHERE && (ram & IN_PAGE) == 0) {
        return rights == 0 || insert(walked(ram, rights), iova, ticket);
      }
    }
    return insertLarge(page, iova, ticket);
  }

  /// Whether a page of 4 KiB at this address would be kept as a word.
  boolean mayHaveWords(long iova) {
    return high == UNDECIDED || iova >>> WIDTH == high;
  }

  /// Whether the words are for addresses like this one; the first to ask decides.
  private boolean hasWords(long iova) {
    if (high == UNDECIDED) {
      synchronized (this) {
        if (high == UNDECIDED) {
          high = iova >>> WIDTH;
        }
      }
    }
    return iova >>> WIDTH == high;
  }

  /// Offers a page of 4 KiB, otherwise as the other.
  ///
  /// @param walked from [#walked]
  boolean offer(long walked, long iova, long ticket) {
    return hasWords(iova) && insert(walked, iova, ticket);
  }

  private boolean insert(long walked, long iova, long ticket) {
    long current = (long) GENERATION.getAcquire(this);
    long word =
        ((Long.rotateLeft(iova, TAG_ROTATION) ^ current) & (TAG | GENERATION_BITS))
            | (walked & FRAME)
            | walked >>> WALKED_RIGHTS_SHIFT << RIGHTS_SHIFT;
    if (isOlder(ticket, generationSince)) {
      return false;
    }
    int slot = slot(iova);
    if (ticket < 0) {
      return WORDS.compareAndSet(words, slot, ticket, word);
    }
    long seen = (long) WORDS.getAcquire(words, slot);
    return isEmptiedByInvalidation(seen)
        && seen >>> EMPTY_SHIFT <= ticket
        && WORDS.compareAndSet(words, slot, seen, word);
  }

  private boolean insertLarge(Page page, long iova, long ticket) {
    LargeIotlb other = large();
    long ram = memory.ramAddress(page.address(), 1L << page.shift(), page.writable());
    synchronized (other) {
      // `large` was there before the count is read, an invalidation counts before it looks for
      // `large`, all four volatile: so one that does not find it is noticed here; and one that does
      // waits for the lock and drops what is inserted now.
      long now = count.getVolatile();
      boolean unchanged =
          ticket >= 0
              ? ticket == now
              : (ticket >>> EMPTY_SHIFT & COUNT_IN_MARK) == (now & COUNT_IN_MARK);
      if (unchanged) {
        other.insert(page, ram, iova);
      }
      return unchanged;
    }
  }

  private LargeIotlb large() {
    LargeIotlb made = large;
    if (made == null) {
      synchronized (this) {
        made = large;
        if (made == null) {
          made = new LargeIotlb(tag, memory);
          large = made;
        }
      }
    }
    return made;
  }

  // --- invalidations

  /// Empties the slots of a range. Between the two counts of the invalidation.
  ///
  /// @param number the invalidation's first count
  void drop(long first, long last, long number) {
    long window = high;
    if (window == UNDECIDED) {
      // Whatever it will be: the walks under way must not insert.
      empty(first, last, number);
    } else {
      long from = window << WIDTH;
      long to = from | ((1L << WIDTH) - 1);
      if (Long.compareUnsigned(first, to) <= 0 && Long.compareUnsigned(from, last) <= 0) {
        empty(
            Long.compareUnsigned(first, from) > 0 ? first : from,
            Long.compareUnsigned(last, to) < 0 ? last : to,
            number);
      }
    }
    LargeIotlb other = large;
    if (other != null) {
      synchronized (other) {
        other.drop(first, last);
      }
    }
  }

  private void empty(long first, long last, long number) {
    long firstPage = first >>> PAGE_SHIFT;
    long pages = (last >>> PAGE_SHIFT) - firstPage + 1;
    long empty = number << EMPTY_SHIFT;
    if (pages < words.length) {
      for (long i = 0; i < pages; i++) {
        WORDS.setRelease(words, (int) (firstPage + i) & slotMask, empty);
      }
    } else {
      long next = (generation + NEXT_GENERATION) & GENERATION_BITS;
      if (next == 0) {
        Arrays.fill(words, empty);
      }
      generationSince = number;
      GENERATION.setRelease(this, next);
    }
  }

  /// Forbids new bindings: the invalidator is about to forget this cache.
  void retire() {
    retired = true;
  }

  boolean isRetired() {
    return retired;
  }
}
