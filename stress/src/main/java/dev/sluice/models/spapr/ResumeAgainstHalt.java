package dev.sluice.models.spapr;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.sluice.dma.Mapping;
import dev.sluice.memory.Access;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/// The end of the last mapping, against the hypercall that is about to halt its processor for it:
/// the call is over exactly once, by its return or by a resumption.
@JCStressTest
@Outcome(id = "1", expect = ACCEPTABLE, desc = "The call was over once.")
@Outcome(expect = FORBIDDEN, desc = "The processor sleeps for ever (0), or was resumed twice.")
@State
public class ResumeAgainstHalt {
  private final StressPartition partition = new StressPartition();
  private final Mapping held = (Mapping) partition.dma.map(0, 4096, Access.READ_WRITE);
  private final StressPartition.Cpu cpu = partition.new Cpu(() -> {});

  @Actor
  public void device() {
    held.close();
  }

  @Actor
  public void guest() {
    cpu.put(0);
  }

  @Arbiter
  public void look(I_Result result) {
    result.r1 = cpu.ends;
  }
}
