package dev.sluice.iommu;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.sluice.memory.Access;
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
  private final Invalidator invalidator = Small.invalidator();
  private final Endpoint endpoint = invalidator.attach(Small.DEVICE);
  private final Iotlb space = invalidator.space(Small.TAG);

  public InvalidationAgainstEviction() {
    space.insert(Small.OLD, 0, space.ticket());
    endpoint.bind(space, endpoint.bindTicket());
  }

  @Actor
  public void otherDevice() {
    invalidator.evict(space);
  }

  @Actor
  public void guestThenDevice(II_Result result) {
    invalidator.invalidate(Invalidation.ofSpace(Small.TAG), () -> result.r1 = 1);
    int section = endpoint.enter();
    result.r2 = endpoint.lookup(0, Access.READ) != null ? 1 : 0;
    endpoint.leave(section);
  }
}
