package dev.sluice.iommu;

import dev.sluice.host.ProcessBarrier;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/// Something on its way to completion: counts what it still waits for and runs the completion once.
final class Drain {
  private final Runnable completed;

  /// Starts with one thing to wait for, its own setting up, so that it cannot complete before all
  /// others are counted.
  private final AtomicInteger pending = new AtomicInteger(1);

  /// What to look at again when all is set up.
  private final List<Awaited> awaited = new ArrayList<>(1);

  private record Awaited(WaitList list, WaitList.Ending ending) {}

  private Drain(Runnable completed) {
    this.completed = completed;
  }

  /// Waits for all that `setUp` names, then runs `completed`: on this thread before the call
  /// returns when nothing is left to wait for, else on the thread that ends the last of it.
  static void start(Consumer<Drain> setUp, Runnable completed) {
    Drain drain = new Drain(completed);
    try {
      setUp.accept(drain);
    } finally {
      // Whatever failed (a deadline that cannot be set, on a host out of threads) is no reason to
      // wait for ever.
      if (!drain.awaited.isEmpty()) {
        ProcessBarrier.run();
        for (Awaited one : drain.awaited) {
          if (one.ending.isOver()) {
            one.list.wake();
          }
        }
      }
      drain.countDown();
    }
  }

  /// During set-up: waits for an ending that `list` is woken for.
  void await(WaitList list, WaitList.Ending ending) {
    awaited.add(new Awaited(list, ending));
    list.add(ending, this);
  }

  /// During set-up: one thing more to wait for.
  void countUp() {
    pending.incrementAndGet();
  }

  /// One thing less to wait for.
  void countDown() {
    if (pending.decrementAndGet() == 0) {
      completed.run();
    }
  }
}
