package dev.sluice.dma;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.nio.ByteOrder;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/// A device stores twice through a page that the guest takes away. When the invalidation has
/// completed, the page has a new owner, who writes 7: the device's value must not replace it.
@JCStressTest
@Outcome(id = "7, .*", expect = ACCEPTABLE, desc = "The new owner's value stands.")
@Outcome(expect = FORBIDDEN, desc = "The device wrote into a page that was not its own any more.")
@State
public class StoreAgainstInvalidation {
  private final StressMachine machine = new StressMachine();

  @Actor
  public void device() {
    machine.dma.store(0, 8, ByteOrder.LITTLE_ENDIAN, 1);
    machine.dma.store(0, 8, ByteOrder.LITTLE_ENDIAN, 2);
  }

  @Actor
  public void guest() {
    machine.moveAndInvalidate(() -> machine.poke(StressMachine.OLD_PAGE, 0, 7));
  }

  @Arbiter
  public void look(JJ_Result result) {
    result.r1 = machine.peek(StressMachine.OLD_PAGE, 0);
    result.r2 = machine.peek(StressMachine.NEW_PAGE, 0);
  }
}
