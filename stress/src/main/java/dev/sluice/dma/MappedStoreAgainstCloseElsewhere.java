package dev.sluice.dma;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.sluice.memory.Access;
import java.nio.ByteOrder;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JI_Result;

/// A device stores through a mapping that another of its threads closes, after which the guest
/// takes the page away. When the invalidation has completed, the page has a new owner, who writes
/// 7: the device's value must not replace it.
@JCStressTest
@Outcome(id = "7, 0", expect = ACCEPTABLE, desc = "Stored before the end.")
@Outcome(id = "7, 1", expect = ACCEPTABLE, desc = "Refused with an exception.")
@Outcome(expect = FORBIDDEN, desc = "The device wrote into a page that was not its own any more.")
@State
public class MappedStoreAgainstCloseElsewhere {
  private final StressMachine machine = new StressMachine();
  private final Mapping mapping = (Mapping) machine.dma.map(0, 8, Access.WRITE);

  @Actor
  public void device(JI_Result result) {
    try {
      mapping.store(0, 8, ByteOrder.LITTLE_ENDIAN, 1);
    } catch (MappingClosedException e) {
      result.r2 = 1;
    }
  }

  @Actor
  public void otherThreadThenGuest() {
    mapping.close();
    machine.moveAndInvalidate(() -> machine.poke(StressMachine.OLD_PAGE, 0, 7));
  }

  @Arbiter
  public void look(JI_Result result) {
    result.r1 = machine.peek(StressMachine.OLD_PAGE, 0);
  }
}
