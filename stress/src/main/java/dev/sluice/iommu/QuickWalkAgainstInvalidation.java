package dev.sluice.iommu;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.sluice.iommu.Translation.Page;
import dev.sluice.memory.Access;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/// A walk that answers with a word, and takes its ticket at its end, against a guest that changes
/// the table and invalidates the page, or everything: the old page is neither used after the
/// completion nor cached.
@JCStressTest
@Outcome(
    id = "0, 0",
    expect = ACCEPTABLE,
    desc = "The walk saw the new table, or was over in time.")
@Outcome(
    expect = FORBIDDEN,
    desc = "The old page was used after the completion (1, x) or stayed cached (x, 1).")
@State
public class QuickWalkAgainstInvalidation implements Iommu {
  /// Varies what is invalidated. Which of several threads counts is of no importance.
  private static int turn;

  private final Small small = new Small();
  private final long last = (turn++ & 1) == 0 ? Small.LAST : -1;
  private volatile Page table = Small.OLD;
  private volatile boolean completed;

  @Override
  public Invalidator invalidator() {
    return small.invalidator;
  }

  @Override
  public long walk(Endpoint endpoint, Iotlb space, long iova, Access access) {
    Page walked = table;
    Small.pause();
    return Iotlb.walked(small.memory.ramAddress(walked.address(), 4096, true), 3);
  }

  @Override
  public Translation translate(Endpoint endpoint, long iova, Access access) {
    throw new IllegalStateException("the walk has answered");
  }

  @Override
  public void report(Endpoint endpoint, long iova, Access access, Translation.Fault fault) {}

  @Override
  public void interrupt(Endpoint endpoint, long address, int data) {}

  @Actor
  public void device(II_Result result) {
    AccessSection section = small.endpoint.enter(Small.FIRST, Small.LAST);
    long found = small.endpoint.resolve(this, small.space, Small.FIRST, Access.READ);
    boolean old = found == small.memory.ramAddress(Small.OLD.address(), 4096, true);
    result.r1 = old && completed ? 1 : 0;
    section.leave();
  }

  @Actor
  public void guest() {
    table = Small.NEW;
    small.invalidator.invalidate(Small.TAG, Small.FIRST, last, () -> completed = true);
  }

  @Arbiter
  public void cached(II_Result result) {
    result.r2 = Small.OLD.equals(small.space.lookup(Small.FIRST)) ? 1 : 0;
  }
}
