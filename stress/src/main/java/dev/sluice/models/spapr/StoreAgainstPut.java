package dev.sluice.models.spapr;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.J_Result;

/// A device stores through an entry that nothing has used before, while H_PUT_TCE replaces it: most
/// of the calls stay on the fast path. When the call is over, the old page has a new owner, who
/// writes 7: the device's value must not replace it, through a stale translation neither.
@JCStressTest
@Outcome(id = "7", expect = ACCEPTABLE, desc = "The new owner's value stands.")
@Outcome(expect = FORBIDDEN, desc = "The device wrote into a page that was not its own any more.")
@State
public class StoreAgainstPut {
  private final StressPartition partition = new StressPartition();
  private final StressPartition.Cpu cpu =
      partition.new Cpu(() -> partition.poke(StressPartition.OLD_PAGE, 7));

  @Actor
  public void device() {
    partition.store(1);
    partition.store(2);
  }

  @Actor
  public void guest() {
    cpu.put(0x1000 | StressPartition.READ_WRITE);
  }

  @Arbiter
  public void look(J_Result result) {
    partition.store(3);
    result.r1 = partition.peek(StressPartition.OLD_PAGE);
  }
}
