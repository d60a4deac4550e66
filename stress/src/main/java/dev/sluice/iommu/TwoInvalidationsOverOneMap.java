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

/// Two invalidations at once over one map, which is closed after them: both are told.
@JCStressTest
@Outcome(id = "0, 2", expect = ACCEPTABLE, desc = "Both waited, both were told.")
@Outcome(expect = FORBIDDEN, desc = "One completed before the map ended, or never.")
@State
public class TwoInvalidationsOverOneMap {
  private final Small small = new Small();
  private final AtomicInteger completions = new AtomicInteger();
  private final Hold hold = small.hold(() -> {});

  public TwoInvalidationsOverOneMap() {
    small.endpoint.revocation(Revocation.never());
  }

  @Actor
  public void guest() {
    small.invalidator.invalidate(Invalidation.ofSpace(Small.TAG), completions::incrementAndGet);
  }

  @Actor
  public void otherGuest() {
    small.invalidator.invalidate(
        Invalidation.ofRange(Small.TAG, 0, 0), completions::incrementAndGet);
  }

  @Arbiter
  public void close(II_Result result) {
    result.r1 = completions.get();
    hold.close();
    result.r2 = completions.get();
  }
}
