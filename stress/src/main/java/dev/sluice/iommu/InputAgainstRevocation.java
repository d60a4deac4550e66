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

/// The kernel's input into a mapping against its revocation: memory is let go when the kernel is
/// through, once.
@JCStressTest
@Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "The kernel was through before the end.")
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "Found dead, nothing was begun.")
@Outcome(
    expect = FORBIDDEN,
    desc = "The kernel was at work after the end (2, x), or it did not end once.")
@State
public class InputAgainstRevocation {
  private final Small small = new Small();
  private final AtomicInteger ended = new AtomicInteger();
  private final Hold hold = small.hold(ended::incrementAndGet);

  @Actor
  public void device(II_Result result) {
    if (hold.beginIo()) {
      result.r1 = ended.get() != 0 ? 2 : 0;
      hold.endIo();
    } else {
      result.r1 = 1;
    }
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
