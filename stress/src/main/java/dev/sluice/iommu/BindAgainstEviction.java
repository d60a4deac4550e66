package dev.sluice.iommu;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/// A requester is bound to a space whose cache is losing its place: it is not left bound to a cache
/// that invalidations no longer reach, and that cache stays empty.
@JCStressTest
@Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "Not bound to it, nothing in it.")
@Outcome(
    expect = FORBIDDEN,
    desc = "Bound to a lost cache (1, x), or something cached in one (x, 1).")
@State
public class BindAgainstEviction {
  private final Invalidator invalidator = Small.invalidator();
  private final Endpoint endpoint = invalidator.attach(Small.DEVICE);
  private final Iotlb space = invalidator.space(Small.TAG);

  @Actor
  public void device() {
    long bindTicket = endpoint.bindTicket();
    long ticket = space.ticket();
    space.insert(Small.OLD, 0, ticket);
    endpoint.bind(space, bindTicket);
  }

  @Actor
  public void otherDevice() {
    invalidator.evict(space);
  }

  @Arbiter
  public void left(II_Result result) {
    result.r1 = endpoint.space() == space ? 1 : 0;
    result.r2 = space.lookup(0) != null ? 1 : 0;
  }
}
