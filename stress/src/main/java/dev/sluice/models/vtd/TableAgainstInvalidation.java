package dev.sluice.models.vtd;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.sluice.models.walk.RadixWalk;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/// A walk that keeps the table that it found, in a slot that has another, while the guest puts a
/// new one into its place and invalidates, and the other comes back: the old table is not kept.
@JCStressTest
@Outcome(id = "0", expect = ACCEPTABLE, desc = "The walk saw the new table, or kept nothing.")
@Outcome(expect = FORBIDDEN, desc = "The old table stayed.")
@State
public class TableAgainstInvalidation {
  private static final long ELSEWHERE = (long) PdeCache.SLOTS << 21;
  private static final long ANOTHER = RadixWalk.lastTable(0x9000, 3);
  private static final long OLD = RadixWalk.lastTable(0x1000, 3);
  private static final long NEW = RadixWalk.lastTable(0x2000, 3);

  /// Varies what is invalidated. Which of several threads counts is of no importance.
  private static int turn;

  private final boolean everything = (turn++ & 1) == 0;
  private final PdeCache cache = new PdeCache(0);
  private volatile long table = OLD;

  public TableAgainstInvalidation() {
    keep(ELSEWHERE, ANOTHER);
  }

  private void keep(long iova, long found) {
    cache.insert(iova, found, cache.ticket(iova));
  }

  @Actor
  public void device() {
    long ticket = cache.ticket(0);
    long found = table;
    Thread.onSpinWait();
    cache.insert(0, found, ticket);
  }

  @Actor
  public void guest() {
    table = NEW;
    if (everything) {
      cache.dropAll();
    } else {
      cache.dropRange(0, 4095);
    }
    keep(ELSEWHERE, ANOTHER);
  }

  @Arbiter
  public void look(I_Result result) {
    result.r1 = cache.find(0, 1) == OLD ? 1 : 0;
  }
}
