package dev.sluice.iommu;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/// A requester is bound to a space whose cache is losing its place: it is not left bound to a cache
/// that invalidations no longer reach.
@JCStressTest
@Outcome(id = "0", expect = ACCEPTABLE, desc = "Not bound to it.")
@Outcome(expect = FORBIDDEN, desc = "Bound to a lost cache.")
@State
public class BindAgainstEviction {
  private final Small small = new Small();
  private final Endpoint endpoint = small.endpoint;

  @Actor
  public void device() {
    endpoint.bind(small.space, endpoint.bindTicket());
  }

  @Actor
  public void otherDevice() {
    small.invalidator.retire(small.space);
  }

  @Arbiter
  public void left(I_Result result) {
    result.r1 = endpoint.space() == small.space ? 1 : 0;
  }
}
