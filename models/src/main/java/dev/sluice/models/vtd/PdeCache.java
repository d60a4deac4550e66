package dev.sluice.models.vtd;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;

/// The PDE-cache of one domain, VT-d specification 6.2.5.4: which table of 4 KiB pages the entries
/// above it lead to, for each 2 MiB of I/O virtual addresses, and what all of those entries let
/// through. A walk that finds its table here loads one entry instead of four.
///
/// Direct mapped, a slot for each of [#SLOTS] consecutive 2 MiB. A slot is one word, so it is read,
/// replaced and emptied as a whole; its middle is a [RadixWalk]:
///
/// ```text
/// 63              52 51                       12 11   8 7  6 5             0
/// +-----------------+---------------------------+------+--+--+---------------+
/// | IOVA bits 47:36 | table's address bits 51:12|  0   |W |R |IOVA bits 35:30|   a table, W or R set
/// |            number of the emptiness                 |0 |0 |       0       |   nothing
/// +----------------------------------------------------+--+--+---------------+
/// ```
///
/// An entry stays until another takes its slot or an invalidation drops it: a guest that frees a
/// page table and forgets to say so (IH clear) meets its mistake. Addresses are guest-physical, so
/// memory that goes away under a table is noticed by the load.
///
/// *No walk that began before an invalidation leaves its result here after it*, without a lock: no
/// two emptinesses of a slot are the same, and a walk may only replace the one that it met, or made
/// itself, before it read a table ([#ticket]). An invalidation leaves new ones in all slots of its
/// range, whatever was there.
final class PdeCache {
  /// How many times 2 MiB there is a slot for, 1 GiB in all: 4 KiB of words.
  static final int SLOTS = 512;

  /// What [#find] answers when there is nothing.
  static final long NONE = 0;

  private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);

  private static final int REGION_SHIFT = 21;

  /// IOVA bits that a word can tell apart.
  private static final int WIDTH = Capabilities.GUEST_ADDRESS_WIDTH;

  private static final long HIGH_TAG = -1L << 52;
  private static final int HIGH_TAG_SHIFT = 16;
  private static final long LOW_TAG = 0x3F;
  private static final int LOW_TAG_SHIFT = 30;
  private static final int RIGHTS_SHIFT = 6;
  private static final long RIGHTS = 3L << RIGHTS_SHIFT;
  private static final long TABLE = 0x000F_FFFF_FFFF_F000L | RIGHTS;
  private static final int EMPTY_SHIFT = 8;

  /// A ticket that no slot has: no table, as bits 11:8 are not 0, and no emptiness.
  private static final long NO_TICKET = RIGHTS | 0xF00;

  private final int domainId;
  private final long[] words = new long[SLOTS];

  /// Counts emptinesses; that of a new slot is number 0.
  private final AtomicLong emptied = new AtomicLong();

  PdeCache(int domainId) {
    this.domainId = domainId;
  }

  int domainId() {
    return domainId;
  }

  /// The table for an address, if the entries that led to it let the access through.
  ///
  /// @param rights as [dev.sluice.memory.Access#rights()]
  /// @return a [RadixWalk] before a table of the last level; or [#NONE]
  long find(long iova, int rights) {
    long word = (long) WORDS.getAcquire(words, slot(iova));
    return (((word ^ tag(iova)) & (HIGH_TAG | LOW_TAG))
                | (~word & (long) rights << RIGHTS_SHIFT)
                | iova >>> WIDTH)
            == 0
        ? word & TABLE
        : NONE;
  }

  /// To be taken before the first table is read for a walk of `iova`; [#insert] wants it back.
  /// Takes the slot's entry away.
  long ticket(long iova) {
    int slot = slot(iova);
    long word = (long) WORDS.getAcquire(words, slot);
    if ((word & RIGHTS) == 0) {
      return word;
    }
    long mine = emptiness();
    return WORDS.compareAndSet(words, slot, word, mine) ? mine : NO_TICKET;
  }

  /// Keeps a table, unless an invalidation has come since the ticket, or another walk.
  ///
  /// @param iova of at most 48 bits
  /// @param walk a [RadixWalk] before a table of the last level
  void insert(long iova, long walk, long ticket) {
    WORDS.compareAndSet(words, slot(iova), ticket, walk | tag(iova));
  }

  /// Drops every table. Without order, as nobody looks for the tables' absence: the fence before it
  /// ([PdeCaches]) and the count of the invalidation after it, in core, keep it in its place.
  void dropAll() {
    Arrays.fill(words, emptiness());
  }

  /// Drops the tables for any address of `[first, last]`, addresses of at most 48 bits.
  void dropRange(long first, long last) {
    long region = first >>> REGION_SHIFT;
    long lastRegion = last >>> REGION_SHIFT;
    if (lastRegion - region >= SLOTS) {
      dropAll();
      return;
    }
    long empty = emptiness();
    for (; region <= lastRegion; region++) {
      WORDS.setRelease(words, (int) region & (SLOTS - 1), empty);
    }
  }

  private long emptiness() {
    return emptied.incrementAndGet() << EMPTY_SHIFT;
  }

  private static long tag(long iova) {
    return (iova << HIGH_TAG_SHIFT & HIGH_TAG) | (iova >>> LOW_TAG_SHIFT & LOW_TAG);
  }

  private static int slot(long iova) {
    return (int) (iova >>> REGION_SHIFT) & (SLOTS - 1);
  }
}
