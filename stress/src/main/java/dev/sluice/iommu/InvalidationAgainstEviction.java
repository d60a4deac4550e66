package dev.sluice.iommu;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/// A translation is invalidated while the cache that holds it loses its place: once the
/// invalidation is complete, no access finds it any more, though the requester is still bound to
/// that cache.
@JCStressTest
@Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "Complete, and nothing found after it.")
@Outcome(expect = FORBIDDEN, desc = "An access after the completion used the old translation.")
@State
public class InvalidationAgainstEviction {
  private final Small small = new Small().cached();

  @Actor
  public void otherDevice() {
    small.invalidator.retire(small.space);
  }

  @Actor
  public void guestThenDevice(II_Result result) {
    small.invalidator.invalidate(Invalidation.ofSpace(Small.TAG), () -> result.r1 = 1);
    AccessSection section = small.enter();
    boolean bound = small.endpoint.space() == small.space;
    result.r2 = bound && small.isCached() ? 1 : 0;
    section.leave();
  }
}
