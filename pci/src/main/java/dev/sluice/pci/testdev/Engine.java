package dev.sluice.pci.testdev;

import dev.sluice.pci.DeviceThread;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The thread that executes the device's operations, one at a time, and the state that the
/// registers show of it.
final class Engine implements Execution.Hold {
  private final DeviceThread thread;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  // Under the lock.
  private @Nullable Job job;
  private int status;
  private int ended;
  private Result result = Result.NONE;
  private boolean released;
  private boolean cancelled;
  private boolean closed;
  private final List<Runnable> cancelListeners = new ArrayList<>();

  /// An idle engine.
  ///
  /// @param name of its thread
  Engine(String name) {
    thread = new DeviceThread(name, this::work);
  }

  void open() {
    thread.start();
  }

  // --- for the thread that serves the guest: nothing here waits

  /// Starts an operation.
  ///
  /// @param started null if the registers ask for something impossible
  void start(@Nullable Job started) {
    lock.lock();
    try {
      if (started == null || job != null || closed) {
        status |= Status.REFUSED;
        return;
      }
      job = started;
      status = Status.BUSY;
      result = Result.NONE;
      released = false;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// Ends the hold of the operation that is under way.
  void release() {
    lock.lock();
    try {
      released = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// Ends the operation that is under way; what the registers show becomes what they show after
  /// reset.
  ///
  /// @param completed runs when no access to memory of it can happen any more
  void cancel(Runnable completed) {
    lock.lock();
    try {
      status = 0;
      ended = 0;
      result = Result.NONE;
      if (job != null) {
        cancelled = true;
        cancelListeners.add(completed);
        changed.signalAll();
        return;
      }
    } finally {
      lock.unlock();
    }
    completed.run();
  }

  int status() {
    lock.lock();
    try {
      return status;
    } finally {
      lock.unlock();
    }
  }

  int ended() {
    lock.lock();
    try {
      return ended;
    } finally {
      lock.unlock();
    }
  }

  Result result() {
    lock.lock();
    try {
      return result;
    } finally {
      lock.unlock();
    }
  }

  /// Ends the thread and waits for it.
  void close() {
    lock.lock();
    try {
      closed = true;
      cancelled = job != null;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    thread.join();
  }

  // --- for the engine's thread

  private void work() {
    for (Job next = take(); next != null; next = take()) {
      finish(next, new Execution(next, this).run());
    }
  }

  private @Nullable Job take() {
    lock.lock();
    try {
      while (job == null && !closed) {
        changed.awaitUninterruptibly();
      }
      return job;
    } finally {
      lock.unlock();
    }
  }

  private void finish(Job done, Result outcome) {
    List<Runnable> listeners;
    boolean shown;
    lock.lock();
    try {
      shown = !cancelled;
      if (shown) {
        result = outcome;
        ended++;
        int refused = status & Status.REFUSED;
        status = refused | Status.DONE | (outcome.aborted() ? Status.ABORTED : 0);
      }
      job = null;
      cancelled = false;
      listeners = List.copyOf(cancelListeners);
      cancelListeners.clear();
    } finally {
      lock.unlock();
    }
    if (shown && done.vector() >= 0) {
      done.host().interrupts().signal(done.vector());
    }
    listeners.forEach(Runnable::run);
  }

  @Override
  public void await(Job holding) {
    boolean forEver = holding.holdMicros() == TestDevice.UNTIL_RELEASED;
    long micros = Integer.toUnsignedLong(holding.holdMicros());
    long deadline = System.nanoTime() + TimeUnit.MICROSECONDS.toNanos(micros);
    lock.lock();
    try {
      if (!cancelled) {
        status |= Status.HOLDING;
      }
      while (!released && !cancelled) {
        long left = deadline - System.nanoTime();
        if (forEver) {
          changed.awaitUninterruptibly();
        } else if (left <= 0 || changed.awaitNanos(left) <= 0) {
          break;
        }
      }
      status &= ~Status.HOLDING;
    } catch (InterruptedException e) {
      // Nobody interrupts the thread; if somebody does, the hold is over.
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean cancelled() {
    lock.lock();
    try {
      return cancelled;
    } finally {
      lock.unlock();
    }
  }
}
