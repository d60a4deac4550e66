package dev.sluice.iommu;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/// The waiter's hand-shake by itself: sections end, each by a plain store, while somebody asks to
/// be told of the end of the one that it has just seen. It is told, once.
@JCStressTest
@Outcome(id = "4", expect = ACCEPTABLE, desc = "Told of each that was waited for.")
@Outcome(expect = FORBIDDEN, desc = "An end was missed, or told twice.")
@State
public class WaitAgainstLeave {
  private final Small small = new Small();
  private final AtomicInteger told = new AtomicInteger();

  @Actor
  public void device() {
    for (int i = 0; i < 4; i++) {
      AccessSection section = small.enter();
      Small.pause();
      section.leave();
    }
  }

  @Actor
  public void waiter() {
    for (int i = 0; i < 4; i++) {
      Drain.start(
          drain -> small.endpoint.awaitSections(-1, Small.TAG, Small.FIRST, Small.LAST, drain),
          told::incrementAndGet);
    }
  }

  @Arbiter
  public void count(I_Result result) {
    result.r1 = told.get();
  }
}
