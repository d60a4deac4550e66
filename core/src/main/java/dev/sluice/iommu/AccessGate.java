package dev.sluice.iommu;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/// The read side of draining: counts the access sections of one endpoint and says when those that
/// were open at some moment have ended.
///
/// Sections are counted in one of two counters, chosen by the current phase. To wait for the open
/// ones, the phase is flipped: later sections count in the other counter, so the first can only
/// fall, and the section that brings it to zero (or the waiter itself, if it is zero already) runs
/// what was waiting. Nobody blocks, and new sections cannot starve a waiter. While one such period
/// runs, further waiters gather for the next, which begins when it ends; they wait for the sections
/// that begin until then, too, but never for one that begins later.
///
/// Memory order: [#enter()] writes a counter *before* the section reads what it relies on (a cached
/// translation, whether a hold is live); [#await] reads the counters *after* its caller changed
/// that. All of these are volatile accesses, which have one total order: so either the waiter sees
/// the section, or the section sees the change.
///
/// A section is in only once [#enter()] has found the phase unchanged after it counted itself: what
/// it reads, it reads after that. So a section that counted itself late, in a phase that was
/// flipped meanwhile, never stays where nobody looks; it takes its count back and tries again.
final class AccessGate {
  private final AtomicInteger even = new AtomicInteger();
  private final AtomicInteger odd = new AtomicInteger();

  /// The phase new sections count in, 0 or 1.
  private volatile int phase;

  /// The phase that a running period waits for, or -1. Written under the lock; read without by the
  /// last section out.
  private volatile int closing = -1;

  /// What the running period will run; guarded by this.
  private List<Runnable> current = new ArrayList<>();

  /// What gathers for the next period; guarded by this.
  private List<Runnable> next = new ArrayList<>();

  AccessGate() {}

  private AtomicInteger open(int ofPhase) {
    return ofPhase == 0 ? even : odd;
  }

  /// Begins a section. Keep it short: an invalidation may wait for its end.
  ///
  /// @return to be given to [#leave]
  int enter() {
    for (; ; ) {
      int now = phase;
      open(now).getAndIncrement();
      if (phase == now) {
        return now;
      }
      // The phase was flipped in between: a later waiter would look at the other counter only.
      leave(now);
    }
  }

  /// Ends a section; may run what was waiting for it.
  void leave(int entered) {
    // Pairs with finishPeriods: it writes `closing` before it reads the counter, this writes the
    // counter before it reads `closing`.
    if (open(entered).decrementAndGet() == 0 && closing == entered) {
      Continuations.run(finishPeriods());
    }
  }

  /// Runs `quiescent` once, when every section that was open at this call has ended: at once on
  /// this thread, or on the thread that ends the last of them. The caller has made its change by a
  /// volatile write.
  void await(Runnable quiescent) {
    if (even.get() == 0 && odd.get() == 0) {
      quiescent.run();
      return;
    }
    List<Runnable> ready;
    synchronized (this) {
      next.add(quiescent);
      ready = finishPeriods();
    }
    Continuations.run(ready);
  }

  /// Ends the running period if its counter is zero, starts the next if somebody waits for it, and
  /// so on.
  private List<Runnable> finishPeriods() {
    List<Runnable> ready = new ArrayList<>();
    synchronized (this) {
      for (; ; ) {
        if (closing >= 0) {
          if (open(closing).get() != 0) {
            return ready;
          }
          ready.addAll(current);
          current.clear();
          closing = -1;
        }
        if (next.isEmpty()) {
          return ready;
        }
        List<Runnable> waiting = next;
        next = current;
        current = waiting;
        int old = phase;
        // Before the loop reads the old counter: a section either is in that count or finds the
        // phase flipped.
        phase = 1 - old;
        closing = old;
      }
    }
  }
}
