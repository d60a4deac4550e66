package dev.sluice.memory;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.lang.foreign.Arena;
import java.nio.ByteOrder;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/// A ring in guest memory: whoever sees the new index sees the entry that was written before it.
/// (x86 orders this by itself; the names of the accesses promise it everywhere.)
@JCStressTest
@Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "Nothing there yet.")
@Outcome(id = "0, 7", expect = ACCEPTABLE, desc = "The entry is there, its index is not.")
@Outcome(id = "1, 7", expect = ACCEPTABLE, desc = "Both are there.")
@Outcome(expect = FORBIDDEN, desc = "An index without its entry.")
@State
public class RingOfADevice {
  private final GuestMemory memory = new GuestMemory();

  public RingOfADevice() {
    memory.addRam(0, RamRegion.of(Arena.ofAuto().allocate(16, 8), true, () -> {}));
  }

  @Actor
  public void driver() {
    memory.store(0, 4, ByteOrder.LITTLE_ENDIAN, 7);
    memory.store(8, 2, ByteOrder.LITTLE_ENDIAN, 1);
  }

  @Actor
  public void device(II_Result result) {
    Word word = new Word();
    memory.load(8, 2, ByteOrder.LITTLE_ENDIAN, word);
    result.r1 = word.asInt();
    memory.load(0, 4, ByteOrder.LITTLE_ENDIAN, word);
    result.r2 = word.asInt();
  }
}
