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
import org.openjdk.jcstress.infra.results.II_Result;

/// Two processors clear the same entry while a device holds a mapping through it: neither call is
/// over before the mapping is, whichever comes first, and each is over once.
@JCStressTest
@Outcome(id = "0, 2", expect = ACCEPTABLE, desc = "Both waited, and both were resumed once.")
@Outcome(expect = FORBIDDEN, desc = "A call was over too early, never, or twice.")
@State
public class TwoClearsOfAnEntryInUse {
  private final StressPartition partition = new StressPartition();
  private final Mapping held = (Mapping) partition.dma.map(0, 4096, Access.READ_WRITE);
  private final StressPartition.Cpu first = partition.new Cpu(() -> {});
  private final StressPartition.Cpu second = partition.new Cpu(() -> {});

  @Actor
  public void one() {
    first.put(0);
  }

  @Actor
  public void other() {
    second.put(0);
  }

  @Arbiter
  public void look(II_Result result) {
    result.r1 = first.ends + second.ends;
    held.close();
    result.r2 = first.ends + second.ends;
  }
}
