package dev.sluice.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The guest-physical address space as regions come and go.
class GuestMemoryMapTest {
  private static final long PAGE = GuestMemory.PAGE;
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;

  private final GuestMemory memory = new GuestMemory();
  private final Word word = new Word();

  @Test
  void anEmptyAddressSpaceIsOneHole() {
    assertThat(memory.statusAt(0, Access.READ)).isEqualTo(MemoryStatus.HOLE);
    assertThat(memory.load(-8, 8, LITTLE, word)).isEqualTo(MemoryStatus.HOLE);
    assertThat(memory.store(0, 1, LITTLE, 0)).isEqualTo(MemoryStatus.HOLE);
    assertThat(memory.read(0, Bytes.zeros(8), 0, 8)).isZero();
    assertThat(memory.remove(0, -1, () -> {})).isZero();
  }

  @Test
  void aRegionBeginsAndEndsWhereItSays() {
    memory.addRam(0x10000, RamRegion.allocate(PAGE));

    assertThat(memory.statusAt(0xFFFF, Access.READ)).isEqualTo(MemoryStatus.HOLE);
    assertThat(memory.statusAt(0x10000, Access.READ_WRITE)).isEqualTo(MemoryStatus.OK);
    assertThat(memory.statusAt(0x10FFF, Access.READ_WRITE)).isEqualTo(MemoryStatus.OK);
    assertThat(memory.statusAt(0x11000, Access.READ)).isEqualTo(MemoryStatus.HOLE);
  }

  @Test
  void eachOfManyRegionsIsFound() {
    // Added from the middle outwards, so that the order of adding is not the order of addresses.
    for (int i = 0; i < 33; i++) {
      long place = i % 2 == 0 ? 100 + i : 100 - i;
      RamRegion ram = RamRegion.allocate(PAGE);
      memory.addRam(place * 2 * PAGE, ram);
      memory.store(place * 2 * PAGE, 8, LITTLE, place);
    }
    for (int i = 0; i < 33; i++) {
      long place = i % 2 == 0 ? 100 + i : 100 - i;
      assertThat(memory.load(place * 2 * PAGE, 8, LITTLE, word)).isEqualTo(MemoryStatus.OK);
      assertThat(word.asLong()).isEqualTo(place);
      assertThat(memory.statusAt(place * 2 * PAGE + PAGE, Access.READ))
          .isEqualTo(MemoryStatus.HOLE);
    }
  }

  @Test
  void anOverlapIsRefusedWhereverItLies() {
    memory.addRam(4 * PAGE, RamRegion.allocate(4 * PAGE));

    for (long first : new long[] {PAGE, 4 * PAGE, 5 * PAGE, 7 * PAGE}) {
      long size = first == PAGE ? 4 * PAGE : PAGE;
      assertThatThrownBy(() -> memory.addRam(first, RamRegion.allocate(size)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("already lies");
    }
    assertThatThrownBy(() -> memory.addRam(0, RamRegion.allocate(100 * PAGE)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> memory.addMessageOnly(7 * PAGE, PAGE, true, new FakePort(0, 1)))
        .isInstanceOf(IllegalArgumentException.class);
    memory.addRam(3 * PAGE, RamRegion.allocate(PAGE));
    memory.addRam(8 * PAGE, RamRegion.allocate(PAGE));
  }

  @Test
  void theAddressSpaceEndsAtTwoToThe64() {
    memory.addRam(-PAGE, RamRegion.allocate(PAGE));

    assertThat(memory.store(-8, 8, LITTLE, 42)).isEqualTo(MemoryStatus.OK);
    assertThat(memory.load(-8, 8, LITTLE, word)).isEqualTo(MemoryStatus.OK);
    assertThat(word.asLong()).isEqualTo(42);
    assertThat(memory.cuts(-PAGE, -1)).isFalse();
    assertThat(memory.remove(-PAGE, -1, () -> {})).isEqualTo(1);
  }

  @Test
  void aRegionThatPassesTheEndIsRefused() {
    assertThatThrownBy(() -> memory.addRam(-PAGE, RamRegion.allocate(PAGE + 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("passes the end");
    assertThatThrownBy(() -> memory.addMessageOnly(-1, 2, true, new FakePort(-1, 2)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> memory.addMessageOnly(0, 0, true, new FakePort(0, 1)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> memory.addMessageOnly(0, -1, true, new FakePort(0, 1)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void anAccessAcrossTheEndDoesNotGoOnAtZero() {
    memory.addRam(-PAGE, RamRegion.allocate(PAGE));
    memory.addRam(0, RamRegion.allocate(PAGE));

    assertThat(memory.read(-4, Bytes.zeros(8), 0, 8)).isEqualTo(4);
    assertThat(memory.write(-4, Bytes.noise(8, 1), 0, 8)).isEqualTo(4);
    assertThat(memory.fill(-4, 100_000, (byte) 1)).isEqualTo(4);
    assertThat(memory.reach(-4, 8, Access.READ)).isEqualTo(4);
    assertThat(memory.load(-4, 8, LITTLE, word)).isEqualTo(MemoryStatus.HOLE);
    assertThat(memory.store(-4, 8, LITTLE, -1)).isEqualTo(MemoryStatus.HOLE);
    assertThat(Bytes.at(memory, 0, 4)).containsOnly(0);
  }

  @Test
  void theNumberOfRegionsIsLimited() {
    FakePort port = new FakePort(0, 1);
    for (int i = 0; i < GuestMemory.MAX_REGIONS; i++) {
      memory.addMessageOnly(i * PAGE, PAGE, true, port);
    }
    assertThatThrownBy(() -> memory.addRam(-PAGE, RamRegion.allocate(PAGE)))
        .isInstanceOf(RegionLimitException.class)
        .hasMessageContaining("4096");

    memory.remove(0, PAGE - 1, () -> {});
    memory.addRam(-PAGE, RamRegion.allocate(PAGE));
    assertThat(memory.remove(0, -1, () -> {})).isEqualTo(GuestMemory.MAX_REGIONS);
  }

  @Test
  void aRangeThatLeavesAPartOfARegionBehindCutsIt() {
    memory.addRam(4 * PAGE, RamRegion.allocate(4 * PAGE));

    assertThat(memory.cuts(0, 4 * PAGE)).isTrue();
    assertThat(memory.cuts(5 * PAGE, -1)).isTrue();
    assertThat(memory.cuts(5 * PAGE, 6 * PAGE)).isTrue();
    assertThat(memory.cuts(4 * PAGE, 8 * PAGE - 2)).isTrue();
    assertThat(memory.cuts(4 * PAGE, 8 * PAGE - 1)).isFalse();
    assertThat(memory.cuts(0, 4 * PAGE - 1)).isFalse();
    assertThat(memory.cuts(0, -1)).isFalse();
  }

  @Test
  void aRemovalThatCutsARegionRemovesNothing() {
    memory.addRam(0, RamRegion.allocate(PAGE));
    memory.addRam(4 * PAGE, RamRegion.allocate(4 * PAGE));
    List<String> drained = new ArrayList<>();

    assertThatThrownBy(() -> memory.remove(0, 5 * PAGE, () -> drained.add("cut")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("cuts a region");
    assertThatThrownBy(() -> memory.remove(PAGE, 0, () -> drained.add("empty")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is empty");

    assertThat(memory.statusAt(0, Access.READ)).isEqualTo(MemoryStatus.OK);
    assertThat(drained).isEmpty();
  }

  @Test
  void aRemovalTakesEveryRegionInItsRangeAndNoOther() {
    for (int i = 0; i < 5; i++) {
      memory.addRam(2L * i * PAGE, RamRegion.allocate(PAGE));
    }
    memory.addMessageOnly(20 * PAGE, PAGE, true, new FakePort(0, 1));

    assertThat(memory.remove(PAGE, 5 * PAGE, () -> {})).isEqualTo(2);

    for (int i = 0; i < 5; i++) {
      assertThat(memory.statusAt(2L * i * PAGE, Access.READ))
          .isEqualTo(i == 1 || i == 2 ? MemoryStatus.HOLE : MemoryStatus.OK);
    }
    assertThat(memory.remove(20 * PAGE, 21 * PAGE - 1, () -> {})).isEqualTo(1);
  }

  @Test
  void aPlaceIsFreeAgainAfterARemoval() {
    memory.addRam(0, RamRegion.allocate(2 * PAGE));
    memory.remove(0, -1, () -> {});
    memory.addRam(PAGE, RamRegion.allocate(4 * PAGE));
    assertThat(memory.reach(PAGE, 100 * PAGE, Access.WRITE)).isEqualTo(4 * PAGE);
  }

  @Test
  void aRegionHasOnePlaceInItsLife() {
    RamRegion ram = RamRegion.allocate(PAGE);
    memory.addRam(0, ram);
    assertThatThrownBy(() -> memory.addRam(4 * PAGE, ram))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("placed before");
    memory.remove(0, -1, () -> {});
    assertThatThrownBy(() -> memory.addRam(0, ram)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void anOverlapDoesNotUseTheRegionUp() {
    memory.addRam(0, RamRegion.allocate(PAGE));
    RamRegion ram = RamRegion.allocate(PAGE);
    assertThatThrownBy(() -> memory.addRam(0, ram)).isInstanceOf(IllegalArgumentException.class);
    memory.addRam(PAGE, ram);
  }

  @Test
  void onlySharedNativeMemoryIsRam() {
    assertThatThrownBy(() -> RamRegion.allocate(0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> RamRegion.of(MemorySegment.ofArray(new byte[8]), true, () -> {}))
        .isInstanceOf(IllegalArgumentException.class);
    try (Arena confined = Arena.ofConfined();
        Arena shared = Arena.ofShared()) {
      assertThatThrownBy(() -> RamRegion.of(confined.allocate(8), true, () -> {}))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> RamRegion.of(shared.allocate(0), true, () -> {}))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> RamRegion.of(shared.allocate(8).asReadOnly(), true, () -> {}))
          .isInstanceOf(IllegalArgumentException.class);
      RamRegion rom = RamRegion.of(shared.allocate(8).asReadOnly(), false, () -> {});
      assertThat(rom.size()).isEqualTo(8);
      assertThat(rom.writable()).isFalse();
    }
  }
}
