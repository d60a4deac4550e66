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
  private final Invalidator invalidator = Small.invalidator();
  private final Endpoint endpoint = invalidator.attach(Small.DEVICE);
  private final Iotlb space = invalidator.space(Small.TAG);
  private volatile Page table = Small.OLD;
  private volatile boolean completed;

  @Actor
  public void device(II_Result result) {
    int section = endpoint.enter();
    long ticket = space.ticket();
    Page walked = table;
    Small.pause();
    space.insert(walked, 0, ticket);
    result.r1 = walked.equals(Small.OLD) && completed ? 1 : 0;
    endpoint.leave(section);
  }

  @Actor
  public void guest() {
    table = Small.NEW;
    invalidator.invalidate(Invalidation.ofRange(Small.TAG, 0, 4095), () -> completed = true);
  }

  @Arbiter
  public void cached(II_Result result) {
    result.r2 = Small.OLD.equals(space.lookup(0)) ? 1 : 0;
  }
}
