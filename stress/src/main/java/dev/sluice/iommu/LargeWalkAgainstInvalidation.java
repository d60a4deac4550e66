package dev.sluice.iommu;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.sluice.iommu.Translation.Page;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/// The first walk that finds a large page, against a guest that changes the table and invalidates:
/// the old page is not left cached.
@JCStressTest
@Outcome(id = "0", expect = ACCEPTABLE, desc = "The new page, or none.")
@Outcome(expect = FORBIDDEN, desc = "The old page stayed cached.")
@State
public class LargeWalkAgainstInvalidation {
  private static final Page OLD = new Page(0, 0, 21, true, true, Small.TAG);
  private static final Page NEW = new Page(0, 1 << 21, 21, true, true, Small.TAG);

  private final Small small = new Small();
  private volatile Page table = OLD;

  @Actor
  public void device() {
    long ticket = small.space.ticket(Small.FIRST);
    Page walked = table;
    small.space.insert(walked, Small.FIRST, ticket);
  }

  @Actor
  public void guest() {
    table = NEW;
    small.invalidate(() -> {});
  }

  @Arbiter
  public void cached(I_Result result) {
    result.r1 = OLD.equals(small.space.lookup(Small.FIRST)) ? 1 : 0;
  }
}
