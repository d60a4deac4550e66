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

/// A walk that offers what it read, against a guest that changes the table and invalidates: the old
/// page is neither used after the completion nor cached.
@JCStressTest
@Outcome(
    id = "0, 0",
    expect = ACCEPTABLE,
    desc = "The walk saw the new table, or was over in time.")
@Outcome(
    expect = FORBIDDEN,
    desc = "The old page was used after the completion (1, x) or stayed cached (x, 1).")
@State
public class WalkAgainstInvalidation {
  private final Small small = new Small();
  private volatile Page table = Small.OLD;
  private volatile boolean completed;

  @Actor
  public void device(II_Result result) {
    AccessSection section = small.endpoint.enter(Small.FIRST, Small.LAST);
    long ticket = small.space.ticket(Small.FIRST);
    Page walked = table;
    Small.pause();
    small.space.insert(walked, Small.FIRST, ticket);
    result.r1 = walked.equals(Small.OLD) && completed ? 1 : 0;
    section.leave();
  }

  @Actor
  public void guest() {
    table = Small.NEW;
    small.invalidate(() -> completed = true);
  }

  @Arbiter
  public void cached(II_Result result) {
    result.r2 = Small.OLD.equals(small.space.lookup(Small.FIRST)) ? 1 : 0;
  }
}
