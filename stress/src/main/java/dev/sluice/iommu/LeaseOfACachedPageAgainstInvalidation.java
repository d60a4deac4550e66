package dev.sluice.iommu;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/// A device that maps a page which it finds in the cache, against an invalidation of it: a lease
/// that was taken from the cache is waited for, whatever count it read.
@JCStressTest
@Outcome(
    id = "[01], 1",
    expect = ACCEPTABLE,
    desc = "Over in time (0), or not cached any more (1).")
@Outcome(id = "2, 1", expect = FORBIDDEN, desc = "Mapped after the completion.")
@Outcome(expect = FORBIDDEN, desc = "No completion.")
@State
public class LeaseOfACachedPageAgainstInvalidation {
  private final Small small = new Small().cached();
  private volatile boolean completed;

  @Actor
  public void device(II_Result result) {
    AccessSection section = small.enter();
    long count = small.endpoint.count();
    PageLease lease = small.isCached() ? small.lease(section, count) : null;
    section.leave();
    if (lease == null) {
      result.r1 = 1;
    } else {
      result.r1 = completed ? 2 : 0;
      lease.close();
    }
  }

  @Actor
  public void guest() {
    small.invalidate(() -> completed = true);
  }

  @Arbiter
  public void told(II_Result result) {
    result.r2 = completed ? 1 : 0;
  }
}
