package dev.sluice.iommu;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/// A section against changes that are followed by a wait each: a wait must not end while a section
/// that read what was before its change is open, and each ends once.
///
/// The guest has a section of its own open during its first wait, so that the phase is flipped: the
/// device's section may be just about to count itself in the phase that is left.
@JCStressTest
@Outcome(id = "0, 3", expect = ACCEPTABLE, desc = "Nothing was reclaimed under the section.")
@Outcome(id = "1, 3", expect = FORBIDDEN, desc = "A wait ended under a section it had to wait for.")
@Outcome(expect = FORBIDDEN, desc = "A wait did not end, or ended twice.")
@State
public class GateKeepsSectionsVisible {
  private final AccessGate gate = new AccessGate();
  private volatile int current;
  private final AtomicInteger reclaimed = new AtomicInteger();
  private final AtomicInteger ended = new AtomicInteger();

  @Actor
  public void device(II_Result result) {
    int section = gate.enter();
    int seen = current;
    Small.pause();
    result.r1 = reclaimed.get() > seen ? 1 : 0;
    gate.leave(section);
  }

  @Actor
  public void guest() {
    int own = gate.enter();
    change(1);
    gate.leave(own);
    change(2);
    change(3);
  }

  private void change(int next) {
    current = next;
    // Waits of two periods may end on two threads at once.
    gate.await(() -> {
      reclaimed.accumulateAndGet(next, Math::max);
      ended.getAndIncrement();
    });
  }

  @Arbiter
  public void count(II_Result result) {
    result.r2 = ended.get();
  }
}
