package dev.sluice.memory;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/// When memory goes, and who is told.
class GuestMemoryRemovalTest {
  private static final long PAGE = GuestMemory.PAGE;

  private final GuestMemory memory = new GuestMemory();
  private final List<String> events = new ArrayList<>();

  private RamRegion ram(String name) {
    Arena arena = Bytes.arena();
    return RamRegion.of(
        arena.allocate(PAGE, PAGE),
        true,
        () -> {
          events.add("unmap " + name);
          arena.close();
        });
  }

  private RegionHold hold(long address) {
    return requireNonNull(memory.hold(address, PAGE, Access.READ_WRITE));
  }

  @Test
  void memoryThatNobodyHoldsGoesAtOnce() {
    memory.addRam(0, ram("a"));
    memory.remove(0, -1, () -> events.add("drained"));
    assertThat(events).containsExactly("unmap a", "drained");
  }

  @Test
  void aRemovalOfNothingIsDrainedAtOnce() {
    memory.remove(0, -1, () -> events.add("drained"));
    assertThat(events).containsExactly("drained");
  }

  @Test
  void aRemovalWaitsForEveryHold() {
    memory.addRam(0, ram("a"));
    memory.addRam(PAGE, ram("b"));
    RegionHold one = hold(0);
    RegionHold two = hold(0);
    RegionHold three = hold(PAGE);

    memory.remove(0, -1, () -> events.add("drained"));
    assertThat(events).isEmpty();
    assertThat(memory.statusAt(0, Access.READ)).isEqualTo(MemoryStatus.HOLE);

    one.close();
    one.close(); // a second close gives nothing back
    assertThat(events).isEmpty();
    two.bytes().set(JAVA_BYTE, 0, (byte) 1);
    two.close();
    assertThat(events).containsExactly("unmap a");
    three.close();
    assertThat(events).containsExactly("unmap a", "unmap b", "drained");
  }

  @Test
  void memoryThatIsGoingGivesNoNewHold() {
    RamRegion ram = ram("a");
    memory.addRam(0, ram);
    try (RegionHold held = hold(0)) {
      memory.remove(0, -1, () -> {});
      assertThat(memory.hold(0, 1, Access.READ)).isNull();
      assertThat(ram.hold()).isFalse();
      assertThat(held.region()).isSameAs(ram);
    }
  }

  @Test
  void aHoldIsAsLongAsItsRegionAllows() {
    memory.addRam(0, ram("a"));
    try (RegionHold held = requireNonNull(memory.hold(100, 3 * PAGE, Access.READ))) {
      assertThat(held.bytes().byteSize()).isEqualTo(PAGE - 100);
    }
  }

  @Test
  void listenersHearOfEachRegionAfterItIsOutOfTheMap() {
    RamRegion a = ram("a");
    memory.addRam(0, a);
    RemovalListener listener =
        (region, letGo) -> {
          events.add((region == a) + " " + memory.statusAt(0, Access.READ));
          letGo.run();
        };
    memory.addRemovalListener(listener);
    RegionHold held = hold(0);

    memory.remove(0, -1, () -> events.add("drained"));
    assertThat(events).containsExactly("true HOLE");
    held.close();

    memory.removeRemovalListener(listener);
    memory.addRam(0, ram("b"));
    memory.remove(0, -1, () -> {});
    assertThat(events).containsExactly("true HOLE", "unmap a", "drained", "unmap b");
  }

  @Test
  void aListenerMayEndItsHoldOnTheSpot() {
    memory.addRam(0, ram("a"));
    RegionHold held = hold(0);
    memory.addRemovalListener((_, letGo) -> {
      held.close();
      letGo.run();
    });
    memory.remove(0, -1, () -> events.add("drained"));
    assertThat(events).containsExactly("unmap a", "drained");
  }

  @Test
  void nobodyIsToldThatMemoryIsGoneWhichCannotBeUnmapped() {
    Arena arena = Bytes.arena();
    RamRegion stuck =
        RamRegion.of(
            arena.allocate(PAGE),
            true,
            () -> {
              throw new IllegalStateException("in use by a system call");
            });
    memory.addRam(0, stuck);
    memory.addRam(PAGE, ram("b"));

    assertThatThrownBy(() -> memory.remove(0, -1, () -> events.add("drained")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("cannot unmap a region of 4096 bytes")
        .hasRootCauseMessage("in use by a system call");

    assertThat(events).containsExactly("unmap b");
    assertThat(memory.statusAt(0, Access.READ)).isEqualTo(MemoryStatus.HOLE);
    arena.close();
  }

  @Test
  void memoryThatIsDeadCountsAsGoneThoughItsUnmapFails() {
    Arena arena = Bytes.arena();
    RamRegion dead =
        RamRegion.of(
            arena.allocate(PAGE),
            true,
            () -> {
              arena.close();
              throw new IllegalStateException("munmap: EINVAL");
            });
    memory.addRam(0, dead);
    memory.remove(0, -1, () -> events.add("drained"));
    assertThat(events).containsExactly("drained");
  }

  @Test
  void anAccessUnderARemovalFailsAndTouchesNothing() throws Exception {
    for (int round = 0; round < 50; round++) {
      memory.addRam(0, RamRegion.allocate(64 * PAGE));
      CountDownLatch copying = new CountDownLatch(1);
      AtomicLong last = new AtomicLong(-1);
      AtomicReference<Throwable> thrown = new AtomicReference<>();
      Thread device =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  last.set(copyUntilItStops(copying));
                } catch (Throwable e) {
                  thrown.set(e);
                }
              });
      copying.await();
      memory.remove(0, -1, () -> {});
      device.join();
      assertThat(thrown.get()).isNull();
      assertThat(last.get()).isBetween(0L, 64 * PAGE - 1);
    }
  }

  private long copyUntilItStops(CountDownLatch copying) {
    MemorySegment buffer = Bytes.zeros(64 * PAGE);
    Word word = new Word();
    for (; ; ) {
      long moved = memory.read(0, buffer, 0, 64 * PAGE);
      copying.countDown();
      if (moved < 64 * PAGE
          || memory.store(8, 8, ByteOrder.LITTLE_ENDIAN, 1) != MemoryStatus.OK
          || memory.fetchAndAdd(8, 8, ByteOrder.BIG_ENDIAN, 1, word) != MemoryStatus.OK) {
        return moved == 64 * PAGE ? 0 : moved;
      }
    }
  }
}
