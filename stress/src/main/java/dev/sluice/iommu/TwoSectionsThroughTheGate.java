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

/// Two devices, each of which changes something, waits, and passes through the gate: every wait
/// ends, whoever is the last one out.
@JCStressTest
@Outcome(id = "4, 0", expect = ACCEPTABLE, desc = "Every wait ended, none too early.")
@Outcome(expect = FORBIDDEN, desc = "A wait was lost, or ended too early.")
@State
public class TwoSectionsThroughTheGate {
  private final AccessGate gate = new AccessGate();
  private final AtomicInteger ended = new AtomicInteger();
  private volatile int one;
  private volatile int two;
  private volatile int oneGone;
  private volatile int twoGone;
  private volatile boolean tooEarly;

  @Actor
  public void first() {
    for (int i = 1; i <= 2; i++) {
      int section = gate.enter();
      int seen = two;
      if (twoGone > seen) {
        tooEarly = true;
      }
      int next = i;
      one = next;
      gate.await(() -> {
        oneGone = Math.max(oneGone, next);
        ended.incrementAndGet();
      });
      gate.leave(section);
    }
  }

  @Actor
  public void second() {
    for (int i = 1; i <= 2; i++) {
      int section = gate.enter();
      int seen = one;
      if (oneGone > seen) {
        tooEarly = true;
      }
      int next = i;
      two = next;
      gate.await(() -> {
        twoGone = Math.max(twoGone, next);
        ended.incrementAndGet();
      });
      gate.leave(section);
    }
  }

  @Arbiter
  public void count(II_Result result) {
    result.r1 = ended.get();
    result.r2 = tooEarly ? 1 : 0;
  }
}
