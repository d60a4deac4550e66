package dev.sluice.iommu;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/// A use of a mapping that writes, on a thread of its own, while another thread closes the mapping
/// and the guest then invalidates: the use ends before the completion, which comes.
@JCStressTest
@Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "Used before the completion.")
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "Found closed, touched nothing.")
@Outcome(id = "2, 1", expect = FORBIDDEN, desc = "In use after the completion.")
@Outcome(expect = FORBIDDEN, desc = "No completion.")
@State
public class UseAgainstCloseElsewhere {
  private final Small small = new Small().cached();
  private final PageLease lease = small.lease();
  private volatile boolean completed;

  @Actor
  public void device(II_Result result) {
    AccessSection section = small.enter();
    boolean live = lease.isLive();
    Small.pause();
    result.r1 = !live ? 1 : completed ? 2 : 0;
    section.leave();
  }

  @Actor
  public void otherThreadThenGuest() {
    lease.close();
    small.invalidate(() -> completed = true);
  }

  @Arbiter
  public void told(II_Result result) {
    result.r2 = completed ? 1 : 0;
  }
}
