package dev.sluice.dma;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.sluice.memory.Word;
import java.nio.ByteOrder;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/// A device loads through a page that the guest takes away, without taking part in the
/// invalidation. When that has completed, the page has a new owner, who writes 7: the device never
/// gets it.
@JCStressTest
@Outcome(id = "1, [12]", expect = ACCEPTABLE, desc = "The old page in time.")
@Outcome(id = "2, 2", expect = ACCEPTABLE, desc = "The new page.")
@Outcome(expect = FORBIDDEN, desc = "The device read what the page's new owner has written.")
@State
public class LoadAgainstInvalidation {
  private final StressMachine machine = new StressMachine();

  public LoadAgainstInvalidation() {
    machine.poke(StressMachine.OLD_PAGE, 0, 1);
    machine.poke(StressMachine.NEW_PAGE, 0, 2);
  }

  @Actor
  public void device(JJ_Result result) {
    result.r1 = load();
    result.r2 = load();
  }

  private long load() {
    Word word = new Word();
    machine.dma.load(0, 8, ByteOrder.LITTLE_ENDIAN, word);
    return word.asLong();
  }

  @Actor
  public void guest() {
    machine.moveAndInvalidate(() -> machine.poke(StressMachine.OLD_PAGE, 0, 7));
  }
}
