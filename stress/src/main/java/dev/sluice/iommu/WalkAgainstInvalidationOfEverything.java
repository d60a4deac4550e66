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

/// A walk that offers what it read, against a guest that changes the table and invalidates the
/// whole address space: the cache goes on to its next generation, or is emptied as generations come
/// back, and the old page is not left cached.
@JCStressTest
@Outcome(id = "0", expect = ACCEPTABLE, desc = "The new page, or none.")
@Outcome(expect = FORBIDDEN, desc = "The old page stayed cached.")
@State
public class WalkAgainstInvalidationOfEverything {
  private static final Page NEIGHBOUR = new Page(0x2000, 0x1000, 12, true, true, Small.TAG);

  /// Varies where the race begins. Which of several threads counts is of no importance.
  private static int turn;

  private final Small small = new Small();
  private volatile Page table = Small.OLD;

  public WalkAgainstInvalidationOfEverything() {
    int now = turn++;
    for (int generation = now & 3; generation > 0; generation--) {
      invalidateEverything();
    }
    if ((now & 4) != 0) {
      small.space.insert(NEIGHBOUR, 0x2000, small.space.ticket(0x2000));
    }
  }

  private void invalidateEverything() {
    small.invalidator.invalidate(Small.TAG, 0, -1, () -> {});
  }

  @Actor
  public void device() {
    long ticket = small.space.ticket(Small.FIRST);
    Page walked = table;
    Small.pause();
    small.space.insert(walked, Small.FIRST, ticket);
  }

  @Actor
  public void guest() {
    table = Small.NEW;
    invalidateEverything();
  }

  @Arbiter
  public void cached(I_Result result) {
    result.r1 = Small.OLD.equals(small.space.lookup(Small.FIRST)) ? 1 : 0;
  }
}
