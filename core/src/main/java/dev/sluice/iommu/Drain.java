package dev.sluice.iommu;

import java.util.concurrent.atomic.AtomicInteger;

/// Something on its way to completion: counts what it still waits for and runs the completion once.
///
/// It starts with one thing to wait for, its own setting up, so that it cannot complete before all
/// others are counted.
final class Drain {
  private final Runnable completed;
  private final AtomicInteger pending = new AtomicInteger(1);

  Drain(Runnable completed) {
    this.completed = completed;
  }

  /// One thing more to wait for. Only while something is still waited for.
  void countUp() {
    pending.incrementAndGet();
  }

  /// One thing less to wait for.
  ///
  /// @return whether it was the last, so that the completion has run
  boolean countDown() {
    if (pending.decrementAndGet() != 0) {
      return false;
    }
    completed.run();
    return true;
  }
}
