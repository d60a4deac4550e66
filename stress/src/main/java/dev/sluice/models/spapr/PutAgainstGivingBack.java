package dev.sluice.models.spapr;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.J_Result;

/// A processor clears the entries of a page of the table, which are clear, and then sets one of
/// them, against another that gives empty pages back.
@JCStressTest
@Outcome(id = "4099", expect = ACCEPTABLE, desc = "What was set is there.")
@Outcome(expect = FORBIDDEN, desc = "An entry was set in a page that was given back.")
@State
public class PutAgainstGivingBack {
  private static final long ENTRY = 0x1000 | 3;

  private final TceTable table = new TceTable(1024, new TceBudget(64));

  public PutAgainstGivingBack() {
    table.replaceAll(0, 1024, ENTRY);
    table.replaceAll(0, 1024, 0);
  }

  @Actor
  public void guest() {
    table.replaceAll(0, 512, 0);
    if (!table.replaceUnused(0, ENTRY)) {
      table.replace(0, ENTRY);
    }
  }

  @Actor
  public void collector() {
    table.giveBack();
  }

  @Arbiter
  public void look(J_Result result) {
    result.r1 = table.get(0);
  }
}
