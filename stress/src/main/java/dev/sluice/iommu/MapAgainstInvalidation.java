package dev.sluice.iommu;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.sluice.iommu.Translation.Page;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/// A device that maps what it walked and goes on using it, against a guest that changes the table
/// and invalidates: a mapping of the old page ends before the completion; and the completion comes.
@JCStressTest
@Outcome(
    id = "0, 1",
    expect = ACCEPTABLE,
    desc = "The mapping was of the new page, or over in time.")
@Outcome(
    expect = FORBIDDEN,
    desc = "The old page stayed mapped after the completion (1, x), or no completion (x, 0).")
@State
public class MapAgainstInvalidation {
  private final Small small = new Small();
  private volatile Page table = Small.OLD;
  private volatile boolean completed;

  @Actor
  public void device(II_Result result) {
    AccessSection section = small.endpoint.enter(Small.FIRST, Small.LAST);
    long count = small.endpoint.count();
    Page walked = table;
    Hold hold = small.hold(count, () -> {});
    section.leave();
    result.r1 = walked.equals(Small.OLD) && completed ? 1 : 0;
    hold.close();
  }

  @Actor
  public void guest() {
    table = Small.NEW;
    small.invalidate(() -> completed = true);
  }

  @Arbiter
  public void told(II_Result result) {
    result.r2 = completed ? 1 : 0;
  }
}
