package dev.sluice.models.vtd;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/// A device's first accesses to pages, by a table that the unit knows or is about to know, while
/// the guest puts another into its place and has the pages invalidated: neither the old table nor a
/// page of it stays.
@JCStressTest
@Outcome(
    id = "0, 0",
    expect = ACCEPTABLE,
    desc = "The walk went by the new table, or was over in time.")
@Outcome(
    expect = FORBIDDEN,
    desc = "The old table was used after the completion (1, x), a page or it stayed (x, 1).")
@State
public class WalkAgainstTableInvalidation {
  /// Varies whether the table is known. Which of several threads counts is of no importance.
  private static int turn;

  private final StressUnit unit = new StressUnit();
  private volatile boolean completed;

  public WalkAgainstTableInvalidation() {
    if ((turn++ & 1) == 0) {
      unit.load(StressUnit.PAGES - 1);
    }
  }

  @Actor
  public void device(II_Result result) {
    for (int page = 0; page < StressUnit.PAGES - 2; page++) {
      boolean late = completed;
      result.r1 |= unit.load(page) == StressUnit.OLD && late ? 1 : 0;
    }
  }

  @Actor
  public void guest() {
    completed = unit.replaceTable();
  }

  @Arbiter
  public void look(II_Result result) {
    // The last but one has not been met before: it goes by the table that is known now.
    for (int page = 0; page < StressUnit.PAGES; page++) {
      result.r2 |= unit.load(page) == StressUnit.OLD ? 1 : 0;
    }
  }
}
