package dev.sluice.pci.nvme;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.TargetAbort;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/// A circular queue of results in guest memory (NVMe 1.4, 4.1).
///
/// A command is fetched only after a slot was reserved for its result: so a guest that does not
/// take its results out gets no further commands executed, and no thread ever waits for a slot.
final class CompletionQueue {
  private final int id;
  private final long base;
  private final int size;
  private final int vector;
  private final boolean interruptsEnabled;
  private final List<SubmissionQueue> users = new CopyOnWriteArrayList<>();

  private int head;
  private int tail;
  private int reserved;
  private boolean phase = true;

  /// A queue without entries.
  ///
  /// @param base I/O virtual address of its first entry
  /// @param size entries
  /// @param vector the interrupt vector, if interrupts are enabled
  CompletionQueue(int id, long base, int size, int vector, boolean interruptsEnabled) {
    this.id = id;
    this.base = base;
    this.size = size;
    this.vector = vector;
    this.interruptsEnabled = interruptsEnabled;
  }

  int id() {
    return id;
  }

  int vector() {
    return vector;
  }

  boolean interruptsEnabled() {
    return interruptsEnabled;
  }

  /// The submission queues whose results come here.
  List<SubmissionQueue> users() {
    return users;
  }

  /// Sets a free slot aside for one result.
  ///
  /// @return false when there is none
  synchronized boolean reserve() {
    if (used() + reserved >= size - 1) {
      return false;
    }
    reserved++;
    return true;
  }

  /// Gives a slot back that no result came into.
  synchronized void release() {
    reserved--;
  }

  /// Writes a result into a reserved slot. No lock is held while guest memory is written, since
  /// that may have to wait for the thread on which doorbells arrive.
  ///
  /// @return why guest memory refused it; null if it did not
  @Nullable TargetAbort post(
      DmaContext dma, SubmissionQueue from, int commandId, Status status, int result) {
    long slot;
    long second;
    synchronized (this) {
      slot = base + (long) tail * CompletionEntry.SIZE;
      // The head is read in the order of the slots, so that the heads a guest finds never go back.
      second = CompletionEntry.secondHalf(from.id(), from.head(), commandId, status, phase);
      reserved--;
      tail++;
      if (tail == size) {
        tail = 0;
        phase = !phase;
      }
    }
    TargetAbort abort =
        dma.store(slot, Long.BYTES, ByteOrder.LITTLE_ENDIAN, CompletionEntry.firstHalf(result));
    if (abort != null) {
      return abort;
    }
    return dma.store(slot + Long.BYTES, Long.BYTES, ByteOrder.LITTLE_ENDIAN, second);
  }

  /// Takes the guest's write to the head doorbell.
  ///
  /// @return false if it is not a possible value: beyond the queue, the one it had, or past what
  ///   was posted
  synchronized boolean advanceHead(int newHead) {
    if (newHead < 0 || newHead >= size) {
      return false;
    }
    int taken = Math.floorMod(newHead - head, size);
    if (taken == 0 || taken > used()) {
      return false;
    }
    head = newHead;
    return true;
  }

  private int used() {
    return Math.floorMod(tail - head, size);
  }
}
