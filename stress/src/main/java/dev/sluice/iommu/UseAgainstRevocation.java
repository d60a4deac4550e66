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
  private final Invalidator invalidator = Small.invalidator();
  private final Endpoint endpoint = invalidator.attach(Small.DEVICE);
  private final AtomicInteger ended = new AtomicInteger();
  private final Hold hold;

  public UseAgainstRevocation() {
    int section = endpoint.enter();
    hold =
        endpoint.hold(Small.TAG, 0, 4095, endpoint.generation(), Small.RAM, ended::incrementAndGet);
    endpoint.leave(section);
  }

  @Actor
  public void device(II_Result result) {
    int section = endpoint.enter();
    result.r1 = !hold.isLive() ? 1 : ended.get() != 0 ? 2 : 0;
    endpoint.leave(section);
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
