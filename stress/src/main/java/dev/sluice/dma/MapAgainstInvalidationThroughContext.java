package dev.sluice.dma;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.sluice.iommu.Revocation;
import dev.sluice.memory.Access;
import java.nio.ByteOrder;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/// A device maps what it has cached while the guest takes it away, and is in no hurry: as long as
/// it has a mapping of the old page, the invalidation has not completed.
@JCStressTest
@Outcome(id = "[01], 1", expect = ACCEPTABLE, desc = "The old page in time, or the new one.")
@Outcome(
    id = "2, 1",
    expect = FORBIDDEN,
    desc = "The old page is mapped, and the guest was told not.")
@Outcome(expect = FORBIDDEN, desc = "The invalidation did not complete.")
@State
public class MapAgainstInvalidationThroughContext {
  private final StressMachine machine = new StressMachine();
  private volatile boolean completed;

  public MapAgainstInvalidationThroughContext() {
    machine.dma.revocation(Revocation.never());
    machine.poke(StressMachine.OLD_PAGE, 0, 1);
  }

  @Actor
  public void device(II_Result result) {
    try (Mapping mapping = (Mapping) machine.dma.map(0, 8, Access.READ)) {
      boolean old = mapping.load(0, 8, ByteOrder.LITTLE_ENDIAN) == 1;
      result.r1 = !old ? 0 : completed ? 2 : 1;
    }
  }

  @Actor
  public void guest() {
    machine.moveAndInvalidate(() -> completed = true);
  }

  @Arbiter
  public void told(II_Result result) {
    result.r2 = completed ? 1 : 0;
  }
}
