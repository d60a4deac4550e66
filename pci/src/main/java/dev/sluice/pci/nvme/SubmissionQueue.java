package dev.sluice.pci.nvme;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.TargetAbort;
import org.jspecify.annotations.Nullable;

/// A circular queue of commands in guest memory (NVMe 1.4, 4.1).
///
/// One thread at a time has the right to fetch from it, given by [#claim()] and ended by
/// [#fetched()] or [#giveBack()]: the head that completions report must pass an entry only after it
/// was read. What it fetched then runs beside the next fetch.
final class SubmissionQueue {
  private final int id;
  private final long base;
  private final int size;
  private final CompletionQueue completions;

  private volatile int head;
  private int tail;
  private int executing;
  private boolean claimed;
  private boolean deleted;

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

  /// The next entry to be fetched, which is what completions report as SQHD. Changed under the
  /// lock, read without.
  int head() {
    return head;
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
    int waiting = Math.floorMod(tail - head, size);
    if (added == 0 || added + waiting > size - 1) {
      return false;
    }
    tail = newTail;
    return true;
  }

  /// Takes the right to fetch, with a slot for the result.
  ///
  /// @return false when nobody may fetch: another has the right, there is no command, no free slot,
  ///   or no queue any more
  synchronized boolean claim() {
    if (claimed || deleted || head == tail || !completions.reserve()) {
      return false;
    }
    claimed = true;
    return true;
  }

  /// With the right to fetch: reads the entry at the head.
  ///
  /// @return why guest memory refused it; null if it did not
  @Nullable TargetAbort read(DmaContext dma, SubmissionEntry into) {
    long slot = base + (long) head * SubmissionEntry.SIZE;
    return dma.read(slot, into.bytes(), 0, SubmissionEntry.SIZE);
  }

  /// Ends the right to fetch; the entry at the head now executes.
  synchronized void fetched() {
    head = head + 1 == size ? 0 : head + 1;
    executing++;
    claimed = false;
  }

  /// Ends the right to fetch with nothing fetched.
  synchronized void giveBack() {
    completions.release();
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

  synchronized boolean deleted() {
    return deleted;
  }

  /// Whether no command of the queue executes or is being fetched.
  synchronized boolean idle() {
    return executing == 0 && !claimed;
  }
}
