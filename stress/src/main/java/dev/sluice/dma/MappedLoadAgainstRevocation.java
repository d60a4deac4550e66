package dev.sluice.dma;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.sluice.memory.Access;
import java.nio.ByteOrder;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JI_Result;

/// A device loads through a mapping that is revoked. When the invalidation has completed, the page
/// has a new owner, who writes 7: the device never gets it.
@JCStressTest
@Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "Loaded before the end.")
@Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "Refused with an exception.")
@Outcome(expect = FORBIDDEN, desc = "The device read what the page's new owner has written.")
@State
public class MappedLoadAgainstRevocation {
  private final StressMachine machine = new StressMachine();
  private final Mapping mapping = (Mapping) machine.dma.map(0, 8, Access.READ);

  public MappedLoadAgainstRevocation() {
    machine.poke(StressMachine.OLD_PAGE, 0, 1);
  }

  @Actor
  public void device(JI_Result result) {
    try {
      result.r1 = mapping.load(0, 8, ByteOrder.LITTLE_ENDIAN);
    } catch (MappingRevokedException e) {
      result.r2 = 1;
    }
  }

  @Actor
  public void guest() {
    machine.moveAndInvalidate(() -> machine.poke(StressMachine.OLD_PAGE, 0, 7));
  }
}
