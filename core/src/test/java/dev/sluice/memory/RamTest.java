package dev.sluice.memory;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// RAM by number: what it reaches, and how long a number is one region's.
class RamTest {
  private static final long PAGE = GuestMemory.PAGE;
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;

  private final GuestMemory memory = new GuestMemory();
  private final Ram ram = memory.ram();
  private final Word word = new Word();

  private RamRegion add(long address, long size) {
    RamRegion region = RamRegion.allocate(size);
    memory.addRam(address, region);
    return region;
  }

  private long at(long address) {
    long found = memory.ramAddress(address, 1, true);
    assertThat(found).isNotEqualTo(Ram.NOWHERE);
    return found;
  }

  @Test
  void aRamAddressReachesTheSameBytes() {
    add(0, PAGE);
    add(1L << 40, 16 * PAGE);
    long address = (1L << 40) + 0x3210;
    long there = at(address);
    assertThat(memory.addressOf(there)).isEqualTo(address);

    assertThat(ram.store(there, 8, LITTLE, 0x0102_0304_0506_0708L)).isTrue();
    memory.load(address, 8, LITTLE, word);
    assertThat(word.asLong()).isEqualTo(0x0102_0304_0506_0708L);
    assertThat(ram.load(there, 2, ByteOrder.BIG_ENDIAN, word)).isTrue();
    assertThat(word.asLong()).isEqualTo(0x0807);
    assertThat(ram.load(there, 8, LITTLE)).isEqualTo(0x0102_0304_0506_0708L);

    assertThat(ram.fetchAndAdd(there, 8, LITTLE, 1, word)).isTrue();
    assertThat(word.asLong()).isEqualTo(0x0102_0304_0506_0708L);
    assertThat(ram.compareAndExchange(there, 4, LITTLE, 0x0506_0709, 5, word)).isTrue();
    assertThat(word.asLong()).isEqualTo(0x0506_0709);
    assertThat(ram.load(there, 4, LITTLE)).isEqualTo(5);

    MemorySegment noise = Bytes.noise(3 * PAGE, 1);
    assertThat(ram.write(there, noise, 10, 3 * PAGE - 10)).isTrue();
    MemorySegment copy = Bytes.zeros(3 * PAGE);
    assertThat(ram.read(there, copy, 10, 3 * PAGE - 10)).isTrue();
    assertThat(copy.asSlice(10).mismatch(noise.asSlice(10))).isEqualTo(-1);
    assertThat(ram.fill(there, 3 * PAGE, (byte) 9)).isTrue();
    assertThat(Bytes.at(memory, address, (int) (3 * PAGE))).containsOnly(9);
    assertThat(Bytes.at(memory, address + 3 * PAGE, 8)).containsOnly(0);
  }

  @Test
  void whatIsNotAlignedIsNotChangedAtomically() {
    add(0, PAGE);
    for (int bytes : new int[] {4, 8}) {
      for (int off = 1; off < bytes; off++) {
        assertThat(ram.fetchAndAdd(at(off), bytes, LITTLE, 1, word)).isFalse();
        assertThat(ram.compareAndExchange(at(off), bytes, LITTLE, 0, 1, word)).isFalse();
      }
    }
    assertThat(ram.fetchAndAdd(at(0), 2, LITTLE, 1, word)).isFalse();
    assertThat(Bytes.at(memory, 0, 32)).containsOnly(0);
  }

  @Test
  void onlyWhatLiesInOneWritableRegionHasARamAddress() {
    add(0, 2 * PAGE);
    add(2 * PAGE, PAGE);
    Arena arena = Bytes.arena();
    memory.addRam(4 * PAGE, RamRegion.of(arena.allocate(PAGE, PAGE), false, arena::close));
    memory.addMessageOnly(8 * PAGE, PAGE, true, new FakePort(8 * PAGE, PAGE));

    assertThat(memory.ramAddress(0, 2 * PAGE, true)).isNotEqualTo(Ram.NOWHERE);
    assertThat(memory.ramAddress(1, 2 * PAGE, true)).isEqualTo(Ram.NOWHERE);
    assertThat(memory.ramAddress(PAGE, 2 * PAGE, false)).isEqualTo(Ram.NOWHERE);
    assertThat(memory.ramAddress(3 * PAGE, 1, false)).isEqualTo(Ram.NOWHERE);
    assertThat(memory.ramAddress(4 * PAGE, 1, false)).isNotEqualTo(Ram.NOWHERE);
    assertThat(memory.ramAddress(4 * PAGE, 1, true)).isEqualTo(Ram.NOWHERE);
    assertThat(memory.ramAddress(8 * PAGE, 1, false)).isEqualTo(Ram.NOWHERE);
  }

  @Test
  void anAddressBeyondTheEndOfItsRegionReachesNothing() {
    add(0, PAGE);
    add(PAGE, PAGE);
    long beyond = at(0) + PAGE;
    assertThat(ram.read(beyond, Bytes.zeros(8), 0, 8)).isFalse();
    assertThat(ram.write(beyond - 4, Bytes.noise(8, 1), 0, 8)).isFalse();
    assertThat(ram.load(beyond, 8, LITTLE, word)).isFalse();
    assertThat(ram.store(beyond, 8, LITTLE, 1)).isFalse();
    assertThat(Bytes.at(memory, PAGE, (int) PAGE)).containsOnly(0);
  }

  @Test
  void moreRegionsThanNumbersAreReachedByAddressOnly() {
    for (int i = 0; i < 300; i++) {
      add(i * PAGE, PAGE);
    }
    assertThat(memory.ramAddress(255 * PAGE, 1, true)).isNotEqualTo(Ram.NOWHERE);
    assertThat(memory.ramAddress(256 * PAGE, 1, true)).isEqualTo(Ram.NOWHERE);
    assertThat(memory.store(256 * PAGE, 8, LITTLE, 7)).isEqualTo(MemoryStatus.OK);
    memory.remove(0, PAGE - 1, () -> {});
    add(300 * PAGE, PAGE);
    assertThat(memory.ramAddress(300 * PAGE, 1, true)).isNotEqualTo(Ram.NOWHERE);
    memory.remove(256 * PAGE, 257 * PAGE - 1, () -> {});
  }

  @Test
  void aNumberIsGivenAgainOnlyWhenEveryListenerHasLetGo() {
    List<Runnable> letGo = new ArrayList<>();
    memory.addRemovalListener((_, done) -> letGo.add(done));
    memory.addRemovalListener((_, done) -> letGo.add(done));
    RamRegion old = add(0, PAGE);
    long there = at(0);
    List<String> events = new ArrayList<>();

    memory.remove(0, -1, () -> events.add("unmapped"));
    assertThat(memory.addressOf(there)).isEqualTo(GuestMemory.NO_ADDRESS);
    assertThat(memory.ramAddress(0, 1, false)).isEqualTo(Ram.NOWHERE);
    assertThat(ram.store(there, 8, LITTLE, 5)).as("it is still mapped").isTrue();
    RamRegion young = add(0, PAGE);
    assertThat(young.number()).isNotEqualTo(old.number());
    requireNonNull(ram.hold(there, 8)).close(); // by a mapping that is live yet

    letGo.getFirst().run();
    assertThat(events).isEmpty();
    assertThat(add(PAGE, PAGE).number()).isNotEqualTo(old.number());
    letGo.getLast().run();
    assertThat(events).containsExactly("unmapped");
    assertThat(ram.hold(there, 8)).isNull();
    assertThat(ram.load(there, 8, LITTLE, word)).isFalse();
    assertThatThrownBy(() -> ram.load(there, 8, LITTLE))
        .isInstanceOf(IndexOutOfBoundsException.class);

    assertThat(add(2 * PAGE, PAGE).number()).isEqualTo(old.number());
    assertThat(ram.load(there, 8, LITTLE)).as("another region by now").isZero();
  }

  @Test
  void aHoldKeepsTheNumberToo() {
    RamRegion old = add(0, PAGE);
    long there = at(0);
    try (RegionHold held = requireNonNull(ram.hold(there + 8, 16))) {
      assertThat(held.region()).isSameAs(old);
      assertThat(held.bytes().byteSize()).isEqualTo(16);
      memory.remove(0, -1, () -> {});
      assertThat(add(0, PAGE).number()).isNotEqualTo(old.number());
      held.store(0, 8, LITTLE, 1);
    }
    assertThat(add(PAGE, PAGE).number()).isEqualTo(old.number());
  }

  @Test
  void aMistakeOfTheCallerIsNotTakenForARemoval() {
    add(0, PAGE);
    MemorySegment closed;
    try (Arena arena = Arena.ofConfined()) {
      closed = arena.allocate(8);
    }
    assertThatThrownBy(() -> ram.read(at(0), closed, 0, 8))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> ram.write(at(0), closed, 0, 8))
        .isInstanceOf(IllegalStateException.class);
  }
}
