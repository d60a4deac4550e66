package dev.sluice.iommu;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/// A lease that its owner gives back, and takes anew for the new page and keeps, against an
/// invalidation: it completes, once, and does not wait for the new one.
@JCStressTest
@Outcome(id = "1, 0, [01]", expect = ACCEPTABLE, desc = "Told once, after the end of the old one.")
@Outcome(expect = FORBIDDEN, desc = "Lost, told twice or told too early.")
@State
public class OwnersLeasesAgainstInvalidation {
  /// The count when the invalidation has made its changes.
  private static final long AFTER = 2;

  private final Small small = new Small().cached();
  private final AtomicInteger completions = new AtomicInteger();
  private final AtomicInteger early = new AtomicInteger();

  public OwnersLeasesAgainstInvalidation() {
    small.endpoint.revocation(Revocation.never());
  }

  @Actor
  public void device(III_Result result) {
    PageLease old = map();
    if (old != null) {
      if (completions.get() != 0) {
        early.incrementAndGet();
      }
      old.close();
    }
    AccessSection section = small.enter();
    long count = small.endpoint.count();
    PageLease kept = small.lease(section, count);
    section.leave();
    if (count == AFTER) {
      result.r3 = 1;
    } else {
      kept.close();
    }
  }

  private @Nullable PageLease map() {
    AccessSection section = small.enter();
    long count = small.endpoint.count();
    PageLease lease = small.isCached() ? small.lease(section, count) : null;
    section.leave();
    return lease;
  }

  @Actor
  public void guest() {
    small.invalidate(completions::incrementAndGet);
  }

  @Arbiter
  public void count(III_Result result) {
    result.r1 = completions.get();
    result.r2 = early.get();
  }
}
