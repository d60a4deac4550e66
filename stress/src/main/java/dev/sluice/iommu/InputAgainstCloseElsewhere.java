package dev.sluice.iommu;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/// The kernel's input, begun under a mapping that another thread closes before the guest
/// invalidates: the kernel is through before the completion, which comes.
@JCStressTest
@Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "The kernel was through before the completion.")
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "Found closed, nothing was begun.")
@Outcome(id = "2, 1", expect = FORBIDDEN, desc = "The kernel was at work after the completion.")
@Outcome(expect = FORBIDDEN, desc = "No completion.")
@State
public class InputAgainstCloseElsewhere {
  private final Small small = new Small().cached();
  private final PageLease lease = small.lease();
  private volatile boolean completed;

  @Actor
  public void device(II_Result result) {
    AccessSection section = small.enter();
    long count = lease.count();
    Hold hold = lease.isLive() ? small.hold(count, () -> {}) : null;
    if (hold != null) {
      hold.beginIo();
    }
    section.leave();
    if (hold == null) {
      result.r1 = 1;
    } else {
      Small.pause();
      result.r1 = completed ? 2 : 0;
      hold.endIo();
      hold.close();
    }
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
