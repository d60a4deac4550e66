package dev.sluice.iommu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/// One invalidation on its way to completion: counts what it still waits for and runs the
/// completion once.
final class Drain {
  private final Consumer<Drain> completed;
  private final AtomicInteger pending = new AtomicInteger(1);
  private final AtomicLong revocations = new AtomicLong();

  Drain(Consumer<Drain> completed) {
    this.completed = completed;
  }

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
    completed.accept(this);
    return true;
  }

  boolean isPending() {
    return pending.get() > 0;
  }

  /// A hold was revoked for this drain's sake.
  void revoked() {
    revocations.incrementAndGet();
  }

  long revocations() {
    return revocations.get();
  }
}
