package dev.sluice.models.spapr;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.sluice.memory.Access;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/// A translation that uses an entry, against a hypercall that replaces it: the hypercall knows of
/// the use if it was of the old entry, and if it was of the new one has nothing to know.
@JCStressTest
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "The old entry was used, and that is known.")
@Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "The new entry was used.")
@Outcome(
    expect = FORBIDDEN,
    desc = "The old entry is in use and nobody knows (1, 0), or the use was taken for another's.")
@State
public class UseAgainstReplacement {
  private static final long OLD = 0x1000 | 3;
  private static final long NEW = 0x2000 | 3;

  private final TceTable table = new TceTable(1, new TceBudget(16));

  public UseAgainstReplacement() {
    table.replace(0, OLD);
  }

  @Actor
  public void device(II_Result result) {
    result.r1 = table.use(0, Access.READ) == OLD ? 1 : 0;
  }

  @Actor
  public void guest(II_Result result) {
    result.r2 = table.replace(0, NEW) == TceTable.Replaced.USED ? 1 : 0;
  }
}
