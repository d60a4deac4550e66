package dev.sluice.models.walk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.MessagePort;
import dev.sluice.memory.RamRegion;
import dev.sluice.models.walk.RadixWalk.Cause;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RadixWalkerTest {
  /// Bit 0 read, bit 1 write, bit 2 page, bit 3 reserved.
  private static final class ToyFormat implements RadixFormat {
    final List<Integer> levelsSeen = new ArrayList<>();
    final int pageShift;
    final int indexBits;

    ToyFormat(int pageShift, int indexBits) {
      this.pageShift = pageShift;
      this.indexBits = indexBits;
    }

    @Override
    public int pageShift() {
      return pageShift;
    }

    @Override
    public int indexBits() {
      return indexBits;
    }

    @Override
    public boolean leadsOn(long entry, int level) {
      levelsSeen.add(level);
      return entry != 0 && (entry & 0xC) == 0;
    }

    @Override
    public Kind kind(long entry, int level) {
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
    public int rights(long entry) {
      return (int) entry & 3;
    }
  }

  private final GuestMemory memory = new GuestMemory();
  private final ToyFormat format = new ToyFormat(12, 9);
  private final RadixWalker walker = new RadixWalker(new TableMemory(memory), format);

  RadixWalkerTest() {
    memory.addRam(0, RamRegion.allocate(0x10000));
  }

  private record Page(long address, int shift, int rights) {}

  private record Stop(Cause cause, int level) {}

  private Record walk(long root, int levels, long iova, Access access) {
    return decoded(walker.walk(root, levels, iova, access));
  }

  private static Record decoded(long walk) {
    return RadixWalk.isPage(walk)
        ? new Page(RadixWalk.address(walk), RadixWalk.shift(walk), RadixWalk.rights(walk))
        : new Stop(RadixWalk.cause(walk), RadixWalk.level(walk));
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
    assertThat(walk(0x1000, 3, iova, Access.READ)).isEqualTo(new Page(0xABC000, 12, 3));
    assertThat(format.levelsSeen).containsExactly(3, 2);
  }

  @Test
  void pageSizeAndIndexBitsAreTheFormats() {
    var wide = new RadixWalker(new TableMemory(memory), new ToyFormat(14, 11));
    entry(0x4000, 2047, 0x8003);
    entry(0x8000, 1024, 0x12_3400_4003L);
    long iova = (2047L << 25) | (1024L << 14) | 0x3FFF;
    assertThat(decoded(wide.walk(0x4000, 2, iova, Access.READ)))
        .isEqualTo(new Page(0x12_3400_4000L, 14, 3));
    entry(0x4000, 2047, 0x800_0007L);
    assertThat(decoded(wide.walk(0x4000, 2, iova, Access.READ)))
        .isEqualTo(new Page(0x800_0000L, 25, 3));
  }

  @Test
  void aWordHoldsTheLargestAddressAndTheDeepestLevel() {
    entry(0x1000, 0, 0x7FFF_FFFF_FFFF_F003L);
    assertThat(walk(0x1000, 1, 0, Access.READ)).isEqualTo(new Page(0x7FFF_FFFF_FFFF_F000L, 12, 3));
    entry(0x1000, 0, 0x1001);
    assertThat(walk(0x1000, 15, 0, Access.WRITE)).isEqualTo(new Stop(Cause.NO_WRITE, 15));
  }

  @Test
  void anEntryOfAllOnesIsAnEntry() {
    entry(0x1000, 0, -1);
    assertThat(walk(0x1000, 2, 0, Access.READ)).isEqualTo(new Stop(Cause.MALFORMED, 2));
  }

  @Test
  void tablesMayLieInSeveralRegions() {
    memory.addRam(0x40_0000, RamRegion.allocate(0x1000));
    memory.addRam(0x10_0000, RamRegion.allocate(0x1000));
    entry(0x1000, 0, 0x40_0003);
    entry(0x40_0000, 0, 0x10_0003);
    entry(0x10_0000, 0, 0x5003);
    entry(0x5000, 0, 0x77000 | 3);
    assertThat(walk(0x1000, 4, 0, Access.READ)).isEqualTo(new Page(0x77000, 12, 3));
  }

  @Test
  void tablesInARegionThatHasBeenReplacedAreReadFromTheNewOne() {
    memory.addRam(0x40_0000, RamRegion.allocate(0x1000));
    entry(0x40_0000, 0, 0x5003);
    RadixWalker inOne = new RadixWalker(new TableMemory(memory), format);
    assertThat(decoded(inOne.walk(0x40_0000, 1, 0, Access.READ)))
        .isEqualTo(new Page(0x5000, 12, 3));
    memory.remove(0x40_0000, 0x40_0FFF, () -> {});
    assertThat(decoded(inOne.walk(0x40_0000, 1, 0, Access.READ)))
        .isEqualTo(new Stop(Cause.UNREADABLE, 1));
    memory.addRam(0x40_0000, RamRegion.allocate(0x1000));
    entry(0x40_0000, 0, 0x6003);
    assertThat(decoded(inOne.walk(0x40_0000, 1, 0, Access.READ)))
        .isEqualTo(new Page(0x6000, 12, 3));
  }

  @Test
  void aTableThatEndsWithItsRegionIsUnreadableFromThereOn() {
    memory.addRam(0x10_0000, RamRegion.allocate(16));
    entry(0x10_0000, 1, 0x5003);
    assertThat(walk(0x10_0000, 1, 1L << 12, Access.READ)).isEqualTo(new Page(0x5000, 12, 3));
    assertThat(walk(0x10_0000, 1, 2L << 12, Access.READ)).isEqualTo(new Stop(Cause.UNREADABLE, 1));
  }

  @Test
  void stopsAtALargePage() {
    entry(0x1000, 1, 0x4000_0007L);
    assertThat(walk(0x1000, 3, 1L << 30, Access.READ_WRITE))
        .isEqualTo(new Page(0x4000_0000L, 30, 3));
  }

  @Test
  void aWalkCanBeGoneOnWithFromItsLastTable() {
    entry(0x1000, 0, 0x2003);
    entry(0x2000, 3, 0x3001);
    entry(0x3000, 7, 0x77003);
    long iova = 3L << 21 | 7L << 12;
    long walk = walker.toLastTable(0x1000, 3, iova, Access.READ);
    assertThat(RadixWalk.isLastTable(walk)).isTrue();
    assertThat(walk).isEqualTo(RadixWalk.lastTable(0x3000, 1));
    assertThat(decoded(walker.inLastTable(walk, iova, Access.READ)))
        .isEqualTo(new Page(0x77000, 12, 1));
    assertThat(walker.entryInLastTable(walk, iova)).isEqualTo(0x77003);
    assertThat(decoded(walker.inLastTable(walk, iova + 4096, Access.READ)))
        .isEqualTo(new Stop(Cause.ABSENT, 1));
  }

  @Test
  void aWalkThatEndsAboveItsLastTableStandsBeforeNone() {
    entry(0x1000, 1, 0x4000_0007L);
    for (long iova : new long[] {0, 1L << 30}) {
      long walk = walker.toLastTable(0x1000, 3, iova, Access.READ);
      assertThat(RadixWalk.isLastTable(walk)).isFalse();
      assertThat(walk).isEqualTo(walker.walk(0x1000, 3, iova, Access.READ));
    }
  }

  @Test
  void theOnlyTableIsTheLastOne() {
    entry(0x1000, 2, 0x5003);
    long walk = walker.toLastTable(0x1000, 1, 0x2000, Access.WRITE);
    assertThat(walk).isEqualTo(RadixWalk.lastTable(0x1000, 3));
  }

  @Test
  void anEntryThatCannotBeReadIsAllOnesAndToldFromOneThatIs() {
    long nowhere = RadixWalk.lastTable(0x40_0000, 3);
    assertThat(walker.entryInLastTable(nowhere, 0)).isEqualTo(-1);
    assertThat(decoded(walker.inLastTable(nowhere, 0, Access.READ)))
        .isEqualTo(new Stop(Cause.UNREADABLE, 1));
    entry(0x1000, 0, -1);
    long there = RadixWalk.lastTable(0x1000, 3);
    assertThat(walker.entryInLastTable(there, 0)).isEqualTo(-1);
    assertThat(decoded(walker.inLastTable(there, 0, Access.READ)))
        .isEqualTo(new Stop(Cause.MALFORMED, 1));
  }

  @Test
  void onlyAPageOfTheSizeAskedForIsOne() {
    long page = RadixWalk.page(0x20_0000, 21, 3);
    assertThat(RadixWalk.isPage(page, 21)).isTrue();
    assertThat(RadixWalk.isPage(page, 12)).isFalse();
    assertThat(RadixWalk.isPage(RadixWalk.stop(Cause.ABSENT, 1), 12)).isFalse();
    assertThat(RadixWalk.isPage(RadixWalk.lastTable(0x1000, 3), 12)).isFalse();
  }

  @Test
  void rightsAreThoseOfAllLevels() {
    entry(0x1000, 0, 0x2001);
    entry(0x2000, 0, 0x3003);
    assertThat(walk(0x1000, 2, 0, Access.READ)).isEqualTo(new Page(0x3000, 12, 1));
  }

  @Test
  void nothingBelowAnEntryThatRefusesIsLookedAt() {
    entry(0x1000, 0, 0x2001);
    entry(0x2000, 0, 8);
    assertThat(walk(0x1000, 2, 0, Access.WRITE)).isEqualTo(new Stop(Cause.NO_WRITE, 2));
    assertThat(walk(0x1000, 2, 0, Access.READ)).isEqualTo(new Stop(Cause.MALFORMED, 1));
  }

  @Test
  void saysAtWhichLevelItStopped() {
    assertThat(walk(0x1000, 4, 0, Access.READ)).isEqualTo(new Stop(Cause.ABSENT, 4));
    entry(0x1000, 0, 0x20_0003);
    assertThat(walk(0x1000, 4, 0, Access.READ)).isEqualTo(new Stop(Cause.UNREADABLE, 3));
    entry(0x1000, 0, 2);
    assertThat(walk(0x1000, 4, 0, Access.READ_WRITE)).isEqualTo(new Stop(Cause.NO_READ, 4));
  }

  @Test
  void aTableThatPointsAtItselfEndsAtTheLastLevel() {
    entry(0x1000, 0, 0x1003);
    assertThat(walk(0x1000, 4, 0, Access.READ)).isEqualTo(new Page(0x1000, 12, 3));
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
    assertThat(walk(0x10_0000, 1, 0, Access.READ)).isEqualTo(new Stop(Cause.UNREADABLE, 1));
  }
}
