package dev.sluice.models.registers;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The lock over a model's registers and queues, held for nanoseconds.
///
/// The rule that keeps a register access from ever waiting for a device: nothing leaves the model
/// while the lock is held. Who holds it decides, notes with [#defer] what is to be done, and the
/// thread does that after it has let go.
public final class ModelLock {
  private final ReentrantLock lock = new ReentrantLock();
  private final List<Runnable> deferred = new ArrayList<>();

  /// A lock that nobody holds.
  public ModelLock() {}

  /// Runs `change` with the lock held, then without it what was deferred. When `change` throws,
  /// what it deferred is dropped.
  public void run(Runnable change) {
    call(() -> {
      change.run();
      return this;
    });
  }

  /// The same for a change with a result.
  ///
  /// @return what `change` returned
  public <T> T call(Supplier<T> change) {
    T result;
    List<Runnable> work = List.of();
    lock.lock();
    try {
      result = change.get();
    } finally {
      if (lock.getHoldCount() == 1) {
        work = List.copyOf(deferred);
        deferred.clear();
      }
      lock.unlock();
    }
    runAll(work);
    return result;
  }

  /// Runs each, whatever becomes of the others: one party's defect must not keep the rest from
  /// happening.
  static void runAll(List<Runnable> work) {
    @Nullable RuntimeException failure = null;
    for (Runnable one : work) {
      try {
        one.run();
      } catch (RuntimeException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
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
