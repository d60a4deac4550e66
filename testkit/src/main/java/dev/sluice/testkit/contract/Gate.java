package dev.sluice.testkit.contract;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Where one thread stops until another lets it go on.
final class Gate {
  /// Nothing here takes longer than milliseconds; who waits longer waits for a lost signal.
  private static final long LOST_AFTER_SECONDS = 30;

  private final CountDownLatch arrived = new CountDownLatch(1);
  private final CountDownLatch opened = new CountDownLatch(1);

  /// Stops the calling thread.
  void pass() {
    arrived.countDown();
    await(opened, "the opening of the gate");
  }

  /// Returns when a thread has stopped here.
  void awaitArrival() {
    await(arrived, "an arrival at the gate");
  }

  /// Lets go who has stopped here, and who comes later.
  void open() {
    opened.countDown();
  }

  private static void await(CountDownLatch latch, String what) {
    try {
      if (!latch.await(LOST_AFTER_SECONDS, TimeUnit.SECONDS)) {
        throw new AssertionError("waited in vain for " + what);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while waiting for " + what, e);
    }
  }
}
