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
  private static final int NOTHING_REFUSED = -1;

  private final int id;
  private final long base;
  private final int size;
  private final int vector;
  private final boolean interruptsEnabled;
  private final List<SubmissionQueue> users = new CopyOnWriteArrayList<>();

  /// Where the guest keeps the head, if that is not the doorbell register.
  private volatile @Nullable ShadowDoorbell shadow;

  /// Held while the shadow is looked at, which may have to wait for the thread on which doorbells
  /// arrive: so that thread must not take it. Guards [#refusedHead].
  private final Object looking = new Object();

  private int refusedHead = NOTHING_REFUSED;

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

  /// The next entry that the guest will take, as far as is known here.
  synchronized int head() {
    return head;
  }

  /// Whether the doorbell is in guest memory.
  boolean hasShadow() {
    return shadow != null;
  }

  /// Takes the head from `doorbell` from now on.
  void shadow(ShadowDoorbell doorbell) {
    shadow = doorbell;
  }

  /// Whether a slot is free, as far as is known.
  synchronized boolean hasRoom() {
    return used() + reserved < size - 1;
  }

  /// Results that the guest has not taken out, as far as is known.
  synchronized int untaken() {
    return used();
  }

  /// How a look at the guest's doorbell went.
  enum Look {
    /// The head is as the guest says.
    TAKEN,
    /// The guest says what cannot be, for the first time.
    REFUSED,
    /// Guest memory cannot be reached.
    ABORTED
  }

  /// Takes the head from guest memory, if that is where the guest keeps it. Guests may leave the
  /// head far behind.
  ///
  /// @param arm whether the guest shall ring when it takes more
  Look look(DmaContext dma, boolean arm) {
    ShadowDoorbell doorbell = shadow;
    if (doorbell == null) {
      return Look.TAKEN;
    }
    synchronized (looking) {
      TargetAbort abort = arm ? doorbell.arm(dma, head()) : doorbell.load(dma);
      if (abort != null) {
        return Look.ABORTED;
      }
      int position = doorbell.position();
      if (position == head() || advanceHead(position)) {
        refusedHead = NOTHING_REFUSED;
        return Look.TAKEN;
      }
      boolean known = position == refusedHead;
      refusedHead = position;
      return known ? Look.TAKEN : Look.REFUSED;
    }
  }

  /// Sets a free slot aside for one result.
  ///
  /// @return false when there is none
  synchronized boolean reserve() {
    if (!hasRoom()) {
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
