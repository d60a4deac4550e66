package dev.sluice.iommu;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/// The owner closes while the deadline passes: one of them ends the mapping, and it ends once.
@JCStressTest
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "Closed or revoked, not both.")
@Outcome(expect = FORBIDDEN, desc = "Both or neither took it, or it ended twice.")
@State
public class CloseAgainstRevocation {
  private final Small small = new Small();
  private final AtomicInteger ended = new AtomicInteger();
  private final Hold hold = small.hold(ended::incrementAndGet);

  @Actor
  public void owner() {
    hold.close();
  }

  @Actor
  public void deadline(II_Result result) {
    boolean revoked = hold.revoke();
    result.r1 = revoked == (hold.state() == Hold.State.REVOKED) ? 1 : 0;
  }

  @Arbiter
  public void count(II_Result result) {
    result.r2 = ended.get();
  }
}
