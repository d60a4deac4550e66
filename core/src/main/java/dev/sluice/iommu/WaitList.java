package dev.sluice.iommu;

import java.util.ArrayList;
import java.util.List;

/// Who waits for the end of something that ends without looking whether somebody waits.
///
/// What ends (an access section, a lease) must cost nothing, so its end is a plain release store,
/// and after it a plain look at [#isAwaited]. The processor may do the look first. Whoever waits
/// makes up for that, since waiting is rare: it adds itself, makes a barrier on every thread of the
/// process ([dev.sluice.host.ProcessBarrier]), and then looks itself, and calls [#wake] if it is
/// over. A thread that ended the thing and looked before the barrier has ended it visibly by now;
/// one that looks later sees who waits.
final class WaitList {
  /// Something that ends once and does not come back.
  @FunctionalInterface
  interface Ending {
    boolean isOver();
  }

  private record Waiter(Ending ending, Drain drain) {}

  /// Whether there are waiters; written under this, read without.
  private volatile boolean awaited;

  /// Guarded by this.
  private final List<Waiter> waiters = new ArrayList<>(0);

  WaitList() {}

  /// Whether somebody waits. To be asked after a compiler barrier after what ended.
  boolean isAwaited() {
    return awaited;
  }

  /// Makes `drain` wait for an end. The caller then makes the process-wide barrier, then looks.
  synchronized void add(Ending ending, Drain drain) {
    drain.countUp();
    waiters.add(new Waiter(ending, drain));
    awaited = true;
  }

  /// Tells those whose ending has come: each once, whoever calls.
  void wake() {
    List<Runnable> told = new ArrayList<>();
    synchronized (this) {
      waiters.removeIf(waiter -> {
        boolean over = waiter.ending.isOver();
        if (over) {
          told.add(waiter.drain::countDown);
        }
        return over;
      });
      awaited = !waiters.isEmpty();
    }
    Continuations.run(told);
  }
}
