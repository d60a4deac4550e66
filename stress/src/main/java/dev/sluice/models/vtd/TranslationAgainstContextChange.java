package dev.sluice.models.vtd;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/// A device's first access, while the guest gives it other tables and has its context entry and its
/// domain invalidated, one right after the other: nothing that was found by the old entry stays.
@JCStressTest
@Outcome(id = "0", expect = ACCEPTABLE, desc = "The new tables are used.")
@Outcome(expect = FORBIDDEN, desc = "A page or a table that the old entry led to stayed.")
@State
public class TranslationAgainstContextChange {
  private final StressUnit unit = new StressUnit().queued();

  @Actor
  public void device() {
    unit.load(0);
  }

  @Actor
  public void guest() {
    unit.replaceTopTable();
  }

  @Arbiter
  public void look(I_Result result) {
    boolean page = unit.load(0) == StressUnit.OLD;
    boolean table = unit.load(1) == StressUnit.OLD;
    result.r1 = page || table ? 1 : 0;
  }
}
