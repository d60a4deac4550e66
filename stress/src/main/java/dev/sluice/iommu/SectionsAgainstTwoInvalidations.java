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

/// Sections that end while two invalidations wait for them, or are about to: each completes, once,
/// and not under a section that found the page.
@JCStressTest
@Outcome(id = "0, 2", expect = ACCEPTABLE, desc = "Both were told, none too early.")
@Outcome(id = "1, 2", expect = FORBIDDEN, desc = "One was told under a section.")
@Outcome(expect = FORBIDDEN, desc = "One was lost, or told twice.")
@State
public class SectionsAgainstTwoInvalidations {
  private final Small small = new Small().cached();
  private final AtomicInteger completions = new AtomicInteger();

  @Actor
  public void device(II_Result result) {
    for (int i = 0; i < 4; i++) {
      AccessSection section = small.enter();
      boolean cached = small.isCached();
      Small.pause();
      if (cached && completions.get() != 0) {
        result.r1 = 1;
      }
      section.leave();
    }
  }

  @Actor
  public void guest() {
    small.invalidate(completions::incrementAndGet);
    small.invalidate(completions::incrementAndGet);
  }

  @Arbiter
  public void count(II_Result result) {
    result.r2 = completions.get();
  }
}
