package dev.sluice.iommu;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/// A lease that is given back on another thread than its owner's, against a guest that invalidates
/// twice: each invalidation completes, once, and not before.
@JCStressTest
@Outcome(id = "1, 1, 0", expect = ACCEPTABLE, desc = "Each was told once, after the end.")
@Outcome(expect = FORBIDDEN, desc = "One was lost, told twice or told too early.")
@State
public class LeaseEndAgainstTwoInvalidations {
  private final Small small = new Small();
  private final PageLease lease = small.lease();
  private final AtomicInteger first = new AtomicInteger();
  private final AtomicInteger second = new AtomicInteger();
  private final AtomicInteger early = new AtomicInteger();
  private volatile boolean mayEnd;

  public LeaseEndAgainstTwoInvalidations() {
    small.endpoint.revocation(Revocation.never());
  }

  @Actor
  public void device() {
    mayEnd = true;
    lease.close();
  }

  @Actor
  public void guest() {
    invalidate(first);
    invalidate(second);
  }

  private void invalidate(AtomicInteger completions) {
    small.invalidate(() -> {
      if (!mayEnd) {
        early.incrementAndGet();
      }
      completions.incrementAndGet();
    });
  }

  @Arbiter
  public void count(III_Result result) {
    result.r1 = first.get();
    result.r2 = second.get();
    result.r3 = early.get();
  }
}
