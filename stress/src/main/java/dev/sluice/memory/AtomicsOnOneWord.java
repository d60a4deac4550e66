package dev.sluice.memory;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.lang.foreign.Arena;
import java.nio.ByteOrder;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/// Two devices add to one word in either byte order: no addition is lost.
@JCStressTest
@Outcome(id = "2, 2", expect = ACCEPTABLE, desc = "Both counted.")
@Outcome(expect = FORBIDDEN, desc = "An addition was lost.")
@State
public class AtomicsOnOneWord {
  private final GuestMemory memory = new GuestMemory();

  public AtomicsOnOneWord() {
    memory.addRam(0, RamRegion.of(Arena.ofAuto().allocate(16, 8), true, () -> {}));
  }

  private void addOne() {
    Word before = new Word();
    memory.fetchAndAdd(0, 8, ByteOrder.LITTLE_ENDIAN, 1, before);
    memory.fetchAndAdd(8, 4, ByteOrder.BIG_ENDIAN, 1, before);
  }

  @Actor
  public void first() {
    addOne();
  }

  @Actor
  public void second() {
    addOne();
  }

  @Arbiter
  public void count(JJ_Result result) {
    Word word = new Word();
    memory.load(0, 8, ByteOrder.LITTLE_ENDIAN, word);
    result.r1 = word.asLong();
    memory.load(8, 4, ByteOrder.BIG_ENDIAN, word);
    result.r2 = word.asLong();
  }
}
