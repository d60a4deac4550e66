package dev.sluice.models.walk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.MessagePort;
import dev.sluice.memory.RamRegion;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RadixWalkerTest {
  /// Bit 0 read, bit 1 write, bit 2 page, bit 3 reserved.
  private static final class ToyFormat implements RadixFormat {
    final List<Integer> levelsSeen = new ArrayList<>();

    @Override
    public Kind kind(long entry, int level) {
      levelsSeen.add(level);
      if (entry == 0) {
        return Kind.ABSENT;
      }
      if ((entry & 8) != 0) {
        return Kind.MALFORMED;
      }
      return level == 1 || (entry & 4) != 0 ? Kind.PAGE : Kind.TABLE;
    }

    @Override
    public long address(long entry) {
      return entry & -4096L;
    }

    @Override
    public boolean readable(long entry) {
      return (entry & 1) != 0;
    }

    @Override
    public boolean writable(long entry) {
      return (entry & 2) != 0;
    }
  }

  private final GuestMemory memory = new GuestMemory();
  private final ToyFormat format = new ToyFormat();
  private final RadixWalker walker = new RadixWalker(new TableMemory(memory), format);

  RadixWalkerTest() {
    memory.addRam(0, RamRegion.allocate(0x10000));
  }

  private void entry(long table, int index, long value) {
    assertThat(memory.store(table + index * 8L, 8, ByteOrder.LITTLE_ENDIAN, value))
        .isEqualTo(MemoryStatus.OK);
  }

  @Test
  void indexesEachLevelByItsNineBits() {
    entry(0x1000, 1, 0x2003);
    entry(0x2000, 2, 0x3003);
    entry(0x3000, 511, 0xABC003);
    long iova = (1L << 30) | (2L << 21) | (511L << 12) | 0x123;
    assertThat(walker.walk(0x1000, 3, iova, Access.READ))
        .isEqualTo(new RadixWalk.Page(0xABC000, 12, true, true));
    assertThat(format.levelsSeen).containsExactly(3, 2, 1);
  }

  @Test
  void stopsAtALargePage() {
    entry(0x1000, 1, 0x4000_0007L);
    assertThat(walker.walk(0x1000, 3, 1L << 30, Access.READ_WRITE))
        .isEqualTo(new RadixWalk.Page(0x4000_0000L, 30, true, true));
  }

  @Test
  void rightsAreThoseOfAllLevels() {
    entry(0x1000, 0, 0x2001);
    entry(0x2000, 0, 0x3003);
    assertThat(walker.walk(0x1000, 2, 0, Access.READ))
        .isEqualTo(new RadixWalk.Page(0x3000, 12, true, false));
  }

  @Test
  void nothingBelowAnEntryThatRefusesIsLookedAt() {
    entry(0x1000, 0, 0x2001);
    entry(0x2000, 0, 8);
    assertThat(walker.walk(0x1000, 2, 0, Access.WRITE))
        .isEqualTo(new RadixWalk.Stop(RadixWalk.Cause.NO_WRITE, 2));
    assertThat(walker.walk(0x1000, 2, 0, Access.READ))
        .isEqualTo(new RadixWalk.Stop(RadixWalk.Cause.MALFORMED, 1));
  }

  @Test
  void saysAtWhichLevelItStopped() {
    assertThat(walker.walk(0x1000, 4, 0, Access.READ))
        .isEqualTo(new RadixWalk.Stop(RadixWalk.Cause.ABSENT, 4));
    entry(0x1000, 0, 0x20_0003);
    assertThat(walker.walk(0x1000, 4, 0, Access.READ))
        .isEqualTo(new RadixWalk.Stop(RadixWalk.Cause.UNREADABLE, 3));
    entry(0x1000, 0, 2);
    assertThat(walker.walk(0x1000, 4, 0, Access.READ_WRITE))
        .isEqualTo(new RadixWalk.Stop(RadixWalk.Cause.NO_READ, 4));
  }

  @Test
  void aTableThatPointsAtItselfEndsAtTheLastLevel() {
    entry(0x1000, 0, 0x1003);
    assertThat(walker.walk(0x1000, 4, 0, Access.READ))
        .isEqualTo(new RadixWalk.Page(0x1000, 12, true, true));
  }

  @Test
  void tablesReachedByMessagesAreNotWaitedFor() {
    MessagePort untouched =
        new MessagePort() {
          @Override
          public MemoryStatus read(long address, MemorySegment into, long offset, long length) {
            throw new AssertionError("a walk must not send messages");
          }

          @Override
          public MemoryStatus write(long address, MemorySegment from, long offset, long length) {
            throw new AssertionError("a walk must not send messages");
          }
        };
    memory.addMessageOnly(0x10_0000, 0x1000, true, untouched);
    assertThat(walker.walk(0x10_0000, 1, 0, Access.READ))
        .isEqualTo(new RadixWalk.Stop(RadixWalk.Cause.UNREADABLE, 1));
  }
}
