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

/// A use of a mapping against its revocation: memory is let go when no use is under way, once.
@JCStressTest
@Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "Used before the end.")
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "Found dead, touched nothing.")
@Outcome(expect = FORBIDDEN, desc = "In use after the end (2, x), or not ended once.")
@State
public class UseAgainstRevocation {
  private final Small small = new Small();
  private final AtomicInteger ended = new AtomicInteger();
  private final Hold hold = small.hold(ended::incrementAndGet);

  @Actor
  public void device(II_Result result) {
    AccessSection section = small.enter();
    result.r1 = !hold.isLive() ? 1 : ended.get() != 0 ? 2 : 0;
    section.leave();
  }

  @Actor
  public void deadline() {
    hold.revoke();
  }

  @Arbiter
  public void count(II_Result result) {
    result.r2 = ended.get();
  }
}
