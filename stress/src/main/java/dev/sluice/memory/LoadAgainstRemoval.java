package dev.sluice.memory;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.nio.ByteOrder;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LJI_Result;

/// A load from memory whose arena is closed meanwhile: it has the bytes or fails, and nothing else
/// happens to the process.
@JCStressTest
@Outcome(id = "OK, 42, 1", expect = ACCEPTABLE, desc = "Loaded before the removal.")
@Outcome(id = "HOLE, 0, 1", expect = ACCEPTABLE, desc = "Removed from the map.")
@Outcome(id = "FAILED, 0, 1", expect = ACCEPTABLE, desc = "Removed under the load.")
@Outcome(expect = FORBIDDEN, desc = "Anything else.")
@State
public class LoadAgainstRemoval {
  private final GuestMemory memory = new GuestMemory();
  private volatile int drained;

  public LoadAgainstRemoval() {
    memory.addRam(0, RamRegion.allocate(64));
    memory.store(8, 8, ByteOrder.LITTLE_ENDIAN, 42);
  }

  @Actor
  public void device(LJI_Result result) {
    Word word = new Word();
    result.r1 = memory.load(8, 8, ByteOrder.LITTLE_ENDIAN, word);
    result.r2 = word.asLong();
  }

  @Actor
  public void host() {
    memory.remove(0, -1, () -> drained = 1);
  }

  @Arbiter
  public void count(LJI_Result result) {
    result.r3 = drained;
  }
}
