package dev.sluice.memory;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/// Memory is held for a moment while it is removed: it is unmapped once, and not under the hold.
@JCStressTest
@Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "Held before the removal.")
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "Refused: the memory is going.")
@Outcome(expect = FORBIDDEN, desc = "Unmapped under a hold (2, x), or not unmapped once.")
@State
public class HoldAgainstRemoval {
  private static final MemorySegment BYTES = Arena.global().allocate(64, 8);

  private final GuestMemory memory = new GuestMemory();
  private final AtomicInteger unmapped = new AtomicInteger();

  public HoldAgainstRemoval() {
    memory.addRam(0, RamRegion.of(BYTES, true, unmapped::incrementAndGet));
  }

  @Actor
  public void device(II_Result result) {
    RegionHold hold = memory.hold(0, 64, Access.READ);
    if (hold == null) {
      result.r1 = 1;
    } else {
      result.r1 = unmapped.get() != 0 ? 2 : 0;
      hold.close();
    }
  }

  @Actor
  public void host() {
    memory.remove(0, -1, () -> {});
  }

  @Arbiter
  public void count(II_Result result) {
    result.r2 = unmapped.get();
  }
}
