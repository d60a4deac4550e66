package dev.sluice.testkit.contract;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// A thread of a device that stops at a gate.
final class Running {
  private static final long LOST_AFTER_MILLIS = 30_000;

  private final Thread thread;
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  private Running(Runnable work) {
    thread = Thread.ofPlatform().daemon().name("device").unstarted(() -> run(work));
  }

  static Running start(Runnable work) {
    Running running = new Running(work);
    running.thread.start();
    return running;
  }

  private void run(Runnable work) {
    try {
      work.run();
    } catch (RuntimeException | Error e) {
      failure.set(e);
    }
  }

  /// Returns when it has come to the gate.
  ///
  /// @return opens the gate, and returns when the thread has ended; its failure is rethrown
  Way.UnderWay untilOpened(Gate gate) {
    gate.awaitArrival();
    return () -> {
      gate.open();
      join();
    };
  }

  /// Returns when the thread has ended; its failure is rethrown.
  void join() {
    try {
      thread.join(LOST_AFTER_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while a device works", e);
    }
    Throwable thrown = failure.get();
    if (thread.isAlive() || thrown != null) {
      throw new AssertionError("the device's access came to no good end", thrown);
    }
  }
}
