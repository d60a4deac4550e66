package dev.sluice.pci.nvme;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.TargetAbort;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// A circular queue of commands in guest memory (NVMe 1.4, 4.1).
///
/// One thread at a time has the right to fetch from it: given by [#claim()], ended by [#release()]
/// or [#giveBack()], and handed on with the memory effects of whoever had it. The head that
/// completions report must pass an entry only after it was read. What was fetched runs beside the
/// next fetch.
final class SubmissionQueue {
  /// The most entries that are read at a time, ahead of their fetch: 1 KiB.
  private static final int READ_AHEAD = 16;

  /// Entries are read ahead within pages of the smallest size, so that one access serves all of
  /// them or none.
  private static final int PAGE = 1 << ControllerCapabilities.MIN_PAGE_SHIFT;

  private static final int NOTHING_REFUSED = -1;

  private final int id;
  private final long base;
  private final int size;
  private final CompletionQueue completions;

  // Changed under the lock, read without.
  private volatile int head;
  private volatile int tail;
  private volatile boolean deleted;

  // Under the lock.
  private int executing;
  private boolean claimed;
  private boolean knocked;

  /// Where the guest keeps the tail, if that is not the doorbell register.
  private volatile @Nullable ShadowDoorbell shadow;

  // With the right to fetch.
  private final MemorySegment ahead = Arena.ofAuto().allocate(READ_AHEAD * SubmissionEntry.SIZE);
  private int aheadFirst;
  private int aheadCount;
  private int refusedTail = NOTHING_REFUSED;

  /// A queue without entries.
  ///
  /// @param base I/O virtual address of its first entry
  /// @param size entries
  SubmissionQueue(int id, long base, int size, CompletionQueue completions) {
    this.id = id;
    this.base = base;
    this.size = size;
    this.completions = completions;
  }

  int id() {
    return id;
  }

  CompletionQueue completions() {
    return completions;
  }

  /// The next entry to be fetched, which is what completions report as SQHD.
  int head() {
    return head;
  }

  /// Where the guest will put its next entry, as far as is known here.
  int tail() {
    return tail;
  }

  /// Whether no entry is known that was not fetched.
  boolean isEmpty() {
    return head == tail;
  }

  /// Entries that are known and were not fetched.
  synchronized int waiting() {
    return Math.floorMod(tail - head, size);
  }

  /// The doorbell in guest memory; null if it is the register.
  @Nullable ShadowDoorbell shadow() {
    return shadow;
  }

  /// Takes the tail from `doorbell` from now on.
  void shadow(ShadowDoorbell doorbell) {
    shadow = doorbell;
  }

  /// Takes the guest's write to the tail doorbell.
  ///
  /// @return false if it is not a possible value: beyond the queue, the one it had, or past the
  ///   free entries
  synchronized boolean advanceTail(int newTail) {
    if (newTail < 0 || newTail >= size) {
      return false;
    }
    int added = Math.floorMod(newTail - tail, size);
    if (added == 0 || added + waiting() > size - 1) {
      return false;
    }
    tail = newTail;
    return true;
  }

  /// With the right to fetch: takes what a look at the shadow doorbell found.
  ///
  /// @return false if that is not a possible value, for the first time
  boolean takeShadow(int position) {
    if (position == tail || advanceTail(position)) {
      refusedTail = NOTHING_REFUSED;
      return true;
    }
    boolean known = position == refusedTail;
    refusedTail = position;
    return known;
  }

  /// Takes the right to fetch, if there may be something to fetch. Who has it already will look
  /// once more before it ends.
  synchronized boolean claim() {
    if (claimed) {
      knocked = true;
      return false;
    }
    boolean maybe = shadow != null || (head != tail && completions.hasRoom());
    if (deleted || !maybe) {
      return false;
    }
    claimed = true;
    knocked = false;
    return true;
  }

  /// With the right to fetch: reads the entry at the head.
  ///
  /// @return why guest memory refused it; null if it did not
  @Nullable TargetAbort read(DmaContext dma, SubmissionEntry into) {
    int slot = head;
    int index = slot - aheadFirst;
    if (index < 0 || index >= aheadCount) {
      int waiting = Math.floorMod(tail - slot, size);
      int inPage = (PAGE - (slot * SubmissionEntry.SIZE & (PAGE - 1))) / SubmissionEntry.SIZE;
      int count = Math.min(Math.min(waiting, READ_AHEAD), Math.min(inPage, size - slot));
      long at = base + (long) slot * SubmissionEntry.SIZE;
      TargetAbort abort = dma.read(at, ahead, 0, (long) count * SubmissionEntry.SIZE);
      if (abort != null) {
        return abort;
      }
      aheadFirst = slot;
      aheadCount = count;
      index = 0;
    }
    // The guest may have changed these entries since, which it must not: no slot is its own again
    // before a completion has reported the head beyond it.
    long from = (long) index * SubmissionEntry.SIZE;
    MemorySegment.copy(ahead, from, into.bytes(), 0, SubmissionEntry.SIZE);
    if (index == aheadCount - 1) {
      aheadCount = 0;
    }
    return null;
  }

  /// The entry at the head, which was read, now executes.
  synchronized void fetched() {
    head = head + 1 == size ? 0 : head + 1;
    executing++;
  }

  /// Ends the right to fetch, unless somebody had something to say meanwhile.
  ///
  /// @return false if the right is kept, and the queue to be looked at again
  synchronized boolean release() {
    if (knocked) {
      knocked = false;
      return false;
    }
    claimed = false;
    return true;
  }

  /// Ends the right to fetch for one who has no more use for it, whatever there is.
  synchronized void giveBack() {
    claimed = false;
  }

  /// A fetched command has ended, its result posted.
  synchronized void executed() {
    executing--;
  }

  /// Stops further fetches for good.
  synchronized void delete() {
    deleted = true;
  }

  boolean deleted() {
    return deleted;
  }

  /// Whether no command of the queue executes or is being fetched.
  synchronized boolean idle() {
    return executing == 0 && !claimed;
  }
}
