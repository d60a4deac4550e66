package dev.sluice.iommu;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/// A walk that binds its requester, against a guest that changes the requester's entry and
/// invalidates it: the requester is not left bound to the old space.
@JCStressTest
@Outcome(id = "0", expect = ACCEPTABLE, desc = "Unbound, or bound to the new space.")
@Outcome(expect = FORBIDDEN, desc = "Bound to the old space.")
@State
public class BindAgainstInvalidation {
  private static final long NEW_TAG = Small.TAG + 1;

  private final Small small = new Small();
  private final Endpoint endpoint = small.endpoint;
  private volatile long entry = Small.TAG;

  @Actor
  public void device() {
    AccessSection section = endpoint.enter(Small.FIRST, Small.LAST);
    long ticket = endpoint.bindTicket();
    long tag = entry;
    Small.pause();
    endpoint.bind(small.invalidator.space(tag, endpoint), ticket);
    section.leave();
  }

  @Actor
  public void guest() {
    entry = NEW_TAG;
    small.invalidator.invalidate(Invalidation.ofBindings(Small.TAG), () -> {});
  }

  @Arbiter
  public void bound(I_Result result) {
    Iotlb space = endpoint.space();
    result.r1 = space != null && space.tag() == Small.TAG ? 1 : 0;
  }
}
