package dev.sluice.iommu;

import java.time.Duration;

/// The time by which drains are measured and the deadlines of [Revocation] pass. A test brings one
/// that it moves by hand.
public interface DeadlineClock {
  /// A time in nanoseconds; only differences mean something.
  long nanoTime();

  /// Runs `task` once, after `delay`, on a thread of the clock's. The task is short and blocks on
  /// nothing.
  ///
  /// @return takes the task back if it has not begun
  Runnable schedule(Duration delay, Runnable task);

  /// The host's monotonic clock.
  static DeadlineClock system() {
    return SystemClock.INSTANCE;
  }
}
