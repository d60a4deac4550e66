package dev.sluice.models.registers;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/// The lock over a model's registers and queues, held for nanoseconds.
///
/// The rule that keeps a register access from ever waiting for a device: nothing leaves the model
/// while the lock is held. Who holds it decides, notes with [#defer] what is to be done, and the
/// thread does that after it has let go.
public final class ModelLock {
  private final ReentrantLock lock = new ReentrantLock();
  private final Queue<Runnable> deferred = new ArrayDeque<>();

  /// A lock that nobody holds.
  public ModelLock() {}

  /// Runs `change` with the lock held, then without it what was deferred.
  public void run(Runnable change) {
    call(() -> {
      change.run();
      return this;
    });
  }

  /// Runs `change` with the lock held, then without it what was deferred.
  ///
  /// @return what `change` returned
  public <T> T call(Supplier<T> change) {
    T result;
    Queue<Runnable> work;
    lock.lock();
    try {
      result = change.get();
      work = lock.getHoldCount() == 1 ? takeDeferred() : new ArrayDeque<>();
    } finally {
      lock.unlock();
    }
    work.forEach(Runnable::run);
    return result;
  }

  private Queue<Runnable> takeDeferred() {
    Queue<Runnable> work = new ArrayDeque<>(deferred);
    deferred.clear();
    return work;
  }

  /// Has `work` run by this thread, in the order of these calls, as soon as it has let go of the
  /// lock.
  public void defer(Runnable work) {
    mustBeHeld();
    deferred.add(work);
  }

  /// Guards what may be touched with the lock held only.
  ///
  /// @throws IllegalStateException unless this thread holds it
  public void mustBeHeld() {
    if (!lock.isHeldByCurrentThread()) {
      throw new IllegalStateException("the model's lock must be held here");
    }
  }
}
