package dev.sluice.iommu;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/// A device that maps in its last access, against its removal: the mapping is taken away, and
/// invalidations wait for its end and no longer.
@JCStressTest
@Outcome(
    id = "1, 1, 0",
    expect = ACCEPTABLE,
    desc = "Taken away once, the invalidation told, the device gone.")
@Outcome(expect = FORBIDDEN, desc = "The mapping, the invalidation or the device was left.")
@State
public class MapAgainstDetach {
  private final Small small = new Small();
  private final AtomicInteger ended = new AtomicInteger();
  private final AtomicInteger completions = new AtomicInteger();
  private volatile boolean closed;

  @Actor
  public void device() {
    AccessSection section = small.enter();
    if (closed) {
      ended.incrementAndGet();
    } else {
      small.hold(small.endpoint.count(), ended::incrementAndGet);
    }
    section.leave();
  }

  @Actor
  public void host() {
    closed = true;
    small.invalidator.detach(small.endpoint);
    small.invalidator.invalidate(Invalidation.all(), completions::incrementAndGet);
  }

  @Arbiter
  public void left(III_Result result) {
    result.r1 = ended.get();
    result.r2 = completions.get();
    result.r3 = small.invalidator.endpoints().size();
  }
}
