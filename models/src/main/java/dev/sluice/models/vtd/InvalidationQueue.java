package dev.sluice.models.vtd;

import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.Word;
import dev.sluice.models.registers.ModelLock;
import dev.sluice.models.registers.RegisterBank;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/// The invalidation queue, VT-d specification 6.5.2.
///
/// One thread at a time works on the queue: it fetches the descriptor at the head, moves the head
/// on and begins the invalidation, whose drain goes on by itself. At a wait descriptor it stops,
/// with the head still there, until every invalidation before it is complete; the thread that
/// completes the last one has the worker go on. So nobody ever waits, a wait descriptor is always a
/// fence, and a queue whose head has reached its tail behind a wait descriptor has been drained.
///
/// Whoever rings the bell (the register write, on the guest's thread) works on up to [#TURN]
/// descriptors itself, so that a guest's usual handful is complete when its write returns. The
/// worker takes over from there, in turns of the same length between which it serves others: a
/// guest that never stops adding descriptors keeps nobody's thread.
///
/// At an error the head stays at the bad descriptor, and nothing is fetched until software has
/// cleared FSTS.IQE.
final class InvalidationQueue {
  /// Descriptors that one thread works on without a break. Linux adds two or three at a time, 18 at
  /// the most; one that drops a full set of caches takes some 100 µs.
  static final int TURN = 32;

  private static final Logger LOG = System.getLogger(InvalidationQueue.class.getName());

  private final ModelLock lock;
  private final RegisterBank bank;
  private final GuestMemory memory;
  private final Caches caches;
  private final FaultReporting faults;
  private final EventInterrupt completion;
  private final Executor worker;
  private final VtdRegisters registers;
  private final VtdCounters counters;

  /// What GCMD.QIE asks for. Guarded by the lock, like what follows.
  private boolean wanted;

  /// The queue while it is enabled (GSTS.QIES).
  private @Nullable Session session;

  /// Whether some thread works on the queue, or the worker has been asked to.
  private boolean working;

  /// Whether a thread has a descriptor in hand: it may be writing to the guest's memory.
  private boolean inHand;

  /// What runs when it has laid it down, for those who reset meanwhile.
  private final List<Runnable> layingDown = new ArrayList<>();

  /// The queue from its enabling to its disabling.
  private static final class Session {
    final long base;
    final long bytes;
    long head;

    /// Invalidations begun and not complete.
    int outstanding;

    /// Whether the head is at a wait descriptor that waits for `outstanding` to become 0.
    boolean waiting;

    Session(long base, long bytes) {
      this.base = base;
      this.bytes = bytes;
    }
  }

  InvalidationQueue(
      ModelLock lock,
      RegisterBank bank,
      VtdRegisters registers,
      GuestMemory memory,
      Caches caches,
      FaultReporting faults,
      EventInterrupt completion,
      Executor worker,
      VtdCounters counters) {
    this.lock = lock;
    this.bank = bank;
    this.registers = registers;
    this.memory = memory;
    this.caches = caches;
    this.faults = faults;
    this.completion = completion;
    this.worker = worker;
    this.counters = counters;
  }

  // --- what the guest does, with the lock held

  /// GCMD.QIE has been written.
  void enable(boolean on) {
    wanted = on;
    if (on && session == null) {
      long address = bank.get(registers.queueAddress);
      session = new Session(QueueRegisters.base(address), QueueRegisters.bytes(address));
      bank.change(VtdRegisters.GSTS, 0, GlobalCommand.QUEUED_INVALIDATION_ENABLE);
    }
    ring();
  }

  /// The tail has moved, or software has cleared an error, or wants the queue disabled.
  void ring() {
    if (!working && isDisablingDue()) {
      disable();
    } else if (!working && hasWork()) {
      working = true;
      lock.defer(() -> work(false));
    }
  }

  /// ICS_REG has been written.
  void completionStatusWritten() {
    if ((bank.get(VtdRegisters.ICS) & QueueRegisters.WAIT_COMPLETE) == 0) {
      completion.serviced();
    }
  }

  /// Forgets everything; invalidations under way complete unseen.
  ///
  /// @param drained runs once, without the lock, when no status of a wait descriptor from before is
  ///   being written any more
  void reset(Runnable drained) {
    wanted = false;
    session = null;
    layingDown.add(drained);
    if (!inHand) {
      layDown();
    }
  }

  private boolean isDisablingDue() {
    return !wanted && session != null && session.outstanding == 0;
  }

  /// 11.4.4.1: nothing is under way any more, so QIES clears and the head returns to 0.
  private void disable() {
    session = null;
    bank.set(VtdRegisters.IQH, 0);
    bank.change(VtdRegisters.GSTS, GlobalCommand.QUEUED_INVALIDATION_ENABLE, 0);
  }

  private boolean hasWork() {
    return wanted
        && session != null
        && !session.waiting
        && caches.hasRoomForQueue()
        && session.head != bank.get(VtdRegisters.IQT)
        && (bank.get(VtdRegisters.FSTS) & FaultStatus.INVALIDATION_QUEUE_ERROR) == 0;
  }

  // --- working on it, without the lock

  /// @param mayBlock whether this is the worker, which may wait for memory that is reached by
  ///   messages; another thread leaves what it cannot reach to the worker
  private void work(boolean mayBlock) {
    boolean more;
    try {
      more = takeTurn(mayBlock);
    } catch (RuntimeException | Error e) {
      // The host's memory failed. The queue is as it was before the descriptor in hand.
      lock.run(() -> {
        working = false;
        layDown();
      });
      throw e;
    }
    if (more) {
      worker.execute(() -> work(true));
    }
  }

  /// @return whether the worker is to go on
  private boolean takeTurn(boolean mayBlock) {
    Word low = new Word();
    Word high = new Word();
    for (int i = 0; i < TURN; i++) {
      Session now = lock.call(this::next);
      if (now == null) {
        return false;
      }
      MemoryStatus done = fetch(now.base + now.head, low, high);
      if (done == MemoryStatus.OK) {
        done = execute(now, Descriptor.decode(low.asLong(), high.asLong()), mayBlock);
      } else if (mayBlock || done != MemoryStatus.WOULD_BLOCK) {
        fail(now, QueueError.FETCH);
      }
      if (done == MemoryStatus.WOULD_BLOCK && !mayBlock) {
        break;
      }
    }
    lock.run(this::layDown);
    return true;
  }

  private void layDown() {
    inHand = false;
    layingDown.forEach(lock::defer);
    layingDown.clear();
  }

  /// Lays down what is in hand.
  ///
  /// @return the session to go on with, or null when this thread is done
  private @Nullable Session next() {
    layDown();
    if (hasWork()) {
      Session now = session;
      if (now != null && bank.get(VtdRegisters.IQT) < now.bytes) {
        inHand = true;
        return now;
      }
      faults.queueFailed(QueueError.TAIL);
    }
    working = false;
    if (isDisablingDue()) {
      disable();
    }
    return null;
  }

  private MemoryStatus fetch(long address, Word low, Word high) {
    MemoryStatus status = memory.load(address, Long.BYTES, ByteOrder.LITTLE_ENDIAN, low);
    return status == MemoryStatus.OK
        ? memory.load(address + Long.BYTES, Long.BYTES, ByteOrder.LITTLE_ENDIAN, high)
        : status;
  }

  /// @return [MemoryStatus#WOULD_BLOCK] when it was not done, as only the worker may
  private MemoryStatus execute(Session now, Descriptor descriptor, boolean mayBlock) {
    switch (descriptor) {
      case Descriptor.Invalidate(CacheInvalidation what) -> {
        lock.run(() -> {
          now.outstanding++;
          advance(now);
        });
        caches.invalidate(what, () -> lock.run(() -> completed(now)));
      }
      case Descriptor.Wait wait -> {
        return execute(now, wait, mayBlock);
      }
      case Descriptor.Invalid(QueueError error) -> fail(now, error);
    }
    return MemoryStatus.OK;
  }

  private MemoryStatus execute(Session now, Descriptor.Wait wait, boolean mayBlock) {
    boolean mustWait =
        lock.call(() -> {
          now.waiting = now.outstanding > 0;
          return now.waiting;
        });
    if (mustWait) {
      return MemoryStatus.OK;
    }
    if (wait.writesStatus()) {
      MemoryStatus written =
          memory.store(
              wait.statusAddress(), Integer.BYTES, ByteOrder.LITTLE_ENDIAN, wait.statusData());
      if (written == MemoryStatus.WOULD_BLOCK && !mayBlock) {
        return written;
      }
      if (written != MemoryStatus.OK) {
        LOG.log(
            Level.DEBUG,
            () ->
                "status of a wait descriptor not written to 0x%x: %s"
                    .formatted(wait.statusAddress(), written));
      }
    }
    counters.waited();
    lock.run(() -> {
      advance(now);
      if (wait.raisesEvent() && session == now) {
        raiseCompletion();
      }
    });
    return MemoryStatus.OK;
  }

  /// 6.5.2.11: no new interrupt condition while software has not seen to the last one.
  private void raiseCompletion() {
    if ((bank.get(VtdRegisters.ICS) & QueueRegisters.WAIT_COMPLETE) == 0) {
      bank.set(VtdRegisters.ICS, QueueRegisters.WAIT_COMPLETE);
      completion.raise();
    }
  }

  private void advance(Session now) {
    now.head = (now.head + Descriptor.BYTES) & (now.bytes - 1);
    if (session == now) {
      bank.set(VtdRegisters.IQH, now.head);
    }
  }

  private void fail(Session now, QueueError error) {
    lock.run(() -> {
      if (session == now) {
        faults.queueFailed(error);
      }
    });
  }

  /// An invalidation is complete. On the thread of whoever ended the last access: the worker does
  /// the rest.
  private void completed(Session of) {
    of.outstanding--;
    if (of.outstanding == 0) {
      of.waiting = false;
    }
    if (of == session) {
      goOn();
    }
  }

  /// Something that the queue may have waited for has happened. With the lock held, on the thread
  /// of whoever ended the last access.
  void goOn() {
    if (working) {
      return;
    }
    if (isDisablingDue()) {
      disable();
    } else if (hasWork()) {
      working = true;
      lock.defer(() -> worker.execute(() -> work(true)));
    }
  }
}
