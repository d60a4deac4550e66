package dev.sluice.iommu;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.sluice.iommu.Translation.Page;
import dev.sluice.memory.Access;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/// A device that hits the cache, against a guest that takes the page away: once the invalidation
/// has completed, the old page is not in use.
@JCStressTest
@Outcome(id = "0", expect = ACCEPTABLE, desc = "The old page was used before the completion.")
@Outcome(id = "1", expect = ACCEPTABLE, desc = "The page was not cached any more.")
@Outcome(expect = FORBIDDEN, desc = "The old page was in use after the completion.")
@State
public class AccessAgainstInvalidation {
  private final Invalidator invalidator = Small.invalidator();
  private final Endpoint endpoint = invalidator.attach(Small.DEVICE);
  private volatile boolean completed;

  public AccessAgainstInvalidation() {
    Iotlb space = invalidator.space(Small.TAG);
    space.insert(Small.OLD, 0, space.ticket());
    endpoint.bind(space, endpoint.bindTicket());
  }

  @Actor
  public void device(I_Result result) {
    int section = endpoint.enter();
    Page page = endpoint.lookup(0, Access.READ);
    Small.pause();
    result.r1 = page == null ? 1 : completed ? 2 : 0;
    endpoint.leave(section);
  }

  @Actor
  public void guest() {
    invalidator.invalidate(Invalidation.ofRange(Small.TAG, 0, 4095), () -> completed = true);
  }
}
