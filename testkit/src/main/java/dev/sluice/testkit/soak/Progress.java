package dev.sluice.testkit.soak;

import java.util.concurrent.atomic.AtomicInteger;

/// Says when the soak is over: when every thread has done what the plan asks of it. Until then all
/// of them go on.
final class Progress {
  private final Referee referee;
  private final AtomicInteger behind;

  /// @param threads how many have something to do
  Progress(Referee referee, int threads) {
    this.referee = referee;
    this.behind = new AtomicInteger(threads);
  }

  /// Whether some thread has not yet done its part.
  boolean goesOn() {
    referee.checkGoingOn();
    return behind.get() > 0;
  }

  /// A thread has done its part. Once for each.
  void caughtUp() {
    behind.decrementAndGet();
  }
}
