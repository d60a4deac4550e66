package dev.sluice.iommu;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

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
  private final Small small = new Small().cached();
  private volatile boolean completed;

  @Actor
  public void device(I_Result result) {
    AccessSection section = small.enter();
    boolean cached = small.isCached();
    Small.pause();
    result.r1 = !cached ? 1 : completed ? 2 : 0;
    section.leave();
  }

  @Actor
  public void guest() {
    small.invalidate(() -> completed = true);
  }
}
