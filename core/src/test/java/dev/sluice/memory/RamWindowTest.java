package dev.sluice.memory;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class RamWindowTest {
  private static final long PAGE = GuestMemory.PAGE;

  private final GuestMemory memory = new GuestMemory();

  private RamWindow windowAt(long address) {
    return requireNonNull(memory.window(address));
  }

  @Test
  void isWhereThereIsRam() {
    memory.addRam(PAGE, RamRegion.allocate(PAGE));
    memory.addMessageOnly(4 * PAGE, PAGE, true, new FakePort(4 * PAGE, PAGE));
    assertThat(memory.window(PAGE - 1)).isNull();
    assertThat(memory.window(PAGE)).isNotNull().isSameAs(memory.window(2 * PAGE - 1));
    assertThat(memory.window(2 * PAGE)).isNull();
    assertThat(memory.window(4 * PAGE)).isNull();
  }

  @Test
  void holdsWholeWordsOnly() {
    memory.addRam(-2 * PAGE, RamRegion.allocate(PAGE));
    RamWindow window = windowAt(-2 * PAGE);
    assertThat(window.holds(-2 * PAGE)).isTrue();
    assertThat(window.holds(-2 * PAGE - 1)).isFalse();
    assertThat(window.holds(-PAGE - 8)).isTrue();
    assertThat(window.holds(-PAGE - 7)).isFalse();
    assertThat(window.holds(0)).isFalse();
    memory.addRam(0, RamRegion.allocate(7));
    assertThat(memory.window(0)).isNull();
  }

  @Test
  void loadsWhatStandsThereInLittleEndian() {
    memory.addRam(PAGE, RamRegion.allocate(PAGE));
    memory.store(2 * PAGE - 8, 8, ByteOrder.LITTLE_ENDIAN, 0x0102_0304_0506_0708L);
    RamWindow window = windowAt(PAGE);
    assertThat(window.load(2 * PAGE - 8)).isEqualTo(0x0102_0304_0506_0708L);
    assertThatThrownBy(() -> window.load(2 * PAGE - 7))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void loadsAllOnesOnceTheRegionIsGone() {
    memory.addRam(0, RamRegion.allocate(PAGE));
    RamWindow window = windowAt(0);
    assertThat(window.isPlaced()).isTrue();
    memory.remove(0, PAGE - 1, () -> {});
    assertThat(window.isPlaced()).isFalse();
    assertThat(window.load(0)).isEqualTo(RamWindow.ALL_ONES);
    assertThat(memory.window(0)).isNull();
  }

  @Test
  void ramAddressIsTheMemorysForWholePagesThatMayBeWrittenIfTheyAreToBe() {
    memory.addRam(8 * PAGE, RamRegion.allocate(2 * PAGE));
    memory.addRam(16 * PAGE, foreign(false));
    RamWindow ram = windowAt(8 * PAGE);
    RamWindow rom = windowAt(16 * PAGE);
    for (boolean write : new boolean[] {false, true}) {
      assertThat(ram.ramAddress(9 * PAGE, write))
          .isNotEqualTo(Ram.NOWHERE)
          .isEqualTo(memory.ramAddress(9 * PAGE, PAGE, write));
      assertThat(rom.ramAddress(16 * PAGE, write))
          .isEqualTo(memory.ramAddress(16 * PAGE, PAGE, write));
    }
    assertThat(rom.ramAddress(16 * PAGE, true)).isEqualTo(Ram.NOWHERE);
    assertThat(ram.ramAddress(9 * PAGE + 8, false)).isEqualTo(Ram.NOWHERE);
    assertThat(ram.ramAddress(8 * PAGE - 8, false)).isEqualTo(Ram.NOWHERE);
    assertThat(ram.ramAddress(16 * PAGE, false)).isEqualTo(Ram.NOWHERE);
  }

  @Test
  void ramAddressesEndWhereTheMemorysDo() {
    long first = 8 * PAGE;
    for (long size : new long[] {8, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE}) {
      GuestMemory one = new GuestMemory();
      one.addRam(first, RamRegion.allocate(size));
      RamWindow window = requireNonNull(one.window(first));
      for (long offset = -PAGE; offset <= size + PAGE; offset++) {
        assertThat(window.ramAddress(first + offset, true))
            .as("offset %d of %d", offset, size)
            .isEqualTo(one.ramAddress(first + offset, PAGE, true));
      }
      assertThat(window.ramAddress(Long.MIN_VALUE, false)).isEqualTo(Ram.NOWHERE);
    }
  }

  @Test
  void aRegionWithoutANumberHasNoRamAddress() {
    for (int i = 0; i <= 256; i++) {
      memory.addRam(i * PAGE, foreign(true));
    }
    assertThat(windowAt(255 * PAGE).ramAddress(255 * PAGE, true)).isNotEqualTo(Ram.NOWHERE);
    assertThat(windowAt(256 * PAGE).ramAddress(256 * PAGE, true)).isEqualTo(Ram.NOWHERE);
    assertThat(windowAt(256 * PAGE).load(256 * PAGE)).isZero();
  }

  private static RamRegion foreign(boolean writable) {
    return RamRegion.of(Arena.ofAuto().allocate(PAGE, PAGE), writable, () -> {});
  }
}
