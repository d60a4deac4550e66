package dev.sluice.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Copies and fills by guest-physical address: across regions, into what stops them, and under
/// memory that goes away.
class GuestMemoryCopyTest {
  private static final long PAGE = GuestMemory.PAGE;
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;

  private final GuestMemory memory = new GuestMemory();

  @Test
  void copiesGoAcrossRegionsOfEveryKind() {
    FakePort port = new FakePort(PAGE, PAGE);
    memory.addRam(0, RamRegion.allocate(PAGE));
    memory.addMessageOnly(PAGE, PAGE, true, port);
    memory.addRam(2 * PAGE, RamRegion.allocate(PAGE));
    MemorySegment from = Bytes.noise(3 * PAGE, 1);
    MemorySegment into = Bytes.zeros(3 * PAGE);

    assertThat(memory.write(10, from, 20, 3 * PAGE - 20)).isEqualTo(3 * PAGE - 20);
    assertThat(memory.read(10, into, 20, 3 * PAGE - 20)).isEqualTo(3 * PAGE - 20);

    assertThat(into.mismatch(from)).isLessThan(20);
    assertThat(into.asSlice(20).mismatch(from.asSlice(20))).isEqualTo(-1);
    assertThat(port.bytes().mismatch(from.asSlice(PAGE + 10, PAGE))).isEqualTo(-1);
    assertThat(Bytes.at(memory, 0, 10)).containsOnly(0);
  }

  @Test
  void aCopyStopsAtAHoleAndSaysHowFarItGot() {
    memory.addRam(0, RamRegion.allocate(PAGE));
    MemorySegment from = Bytes.noise(64, 2);

    assertThat(memory.write(PAGE - 10, from, 0, 64)).isEqualTo(10);
    assertThat(Bytes.at(memory, PAGE - 10, 10)).isEqualTo(Bytes.array(from.asSlice(0, 10)));
    assertThat(memory.read(PAGE - 10, Bytes.zeros(64), 0, 64)).isEqualTo(10);
    assertThat(memory.fill(PAGE - 10, 64, (byte) 3)).isEqualTo(10);
    assertThat(memory.reach(PAGE - 10, 64, Access.READ)).isEqualTo(10);
    assertThat(memory.statusAt(PAGE, Access.READ)).isEqualTo(MemoryStatus.HOLE);
  }

  @Test
  void aWriteStopsAtReadOnlyMemoryAndAReadGoesOn() {
    Arena arena = Bytes.arena();
    memory.addRam(0, RamRegion.allocate(PAGE));
    memory.addRam(PAGE, RamRegion.of(arena.allocate(PAGE).asReadOnly(), false, arena::close));

    assertThat(memory.write(PAGE - 10, Bytes.noise(64, 3), 0, 64)).isEqualTo(10);
    assertThat(memory.fill(PAGE - 10, 64, (byte) 1)).isEqualTo(10);
    assertThat(memory.reach(PAGE - 10, 64, Access.READ_WRITE)).isEqualTo(10);
    assertThat(memory.statusAt(PAGE, Access.WRITE)).isEqualTo(MemoryStatus.READ_ONLY);
    assertThat(memory.read(PAGE - 10, Bytes.zeros(64), 0, 64)).isEqualTo(64);
  }

  @Test
  void aWriteStopsAtReadOnlyMessageMemoryWithoutAMessage() {
    FakePort port = new FakePort(0, PAGE);
    memory.addMessageOnly(0, PAGE, false, port);
    assertThat(memory.write(0, Bytes.noise(8, 1), 0, 8)).isZero();
    assertThat(memory.statusAt(0, Access.WRITE)).isEqualTo(MemoryStatus.READ_ONLY);
    assertThat(memory.hold(0, 8, Access.WRITE)).isNull();
    assertThat(memory.holdStatusAt(0, Access.WRITE)).isEqualTo(MemoryStatus.READ_ONLY);
    assertThat(memory.holdStatusAt(0, Access.READ)).isEqualTo(MemoryStatus.WOULD_BLOCK);
    assertThat(port.messages()).isZero();
  }

  @Test
  void aCopyStopsWhereThePeerRefuses() {
    FakePort port = new FakePort(PAGE, PAGE);
    memory.addRam(0, RamRegion.allocate(PAGE));
    memory.addMessageOnly(PAGE, PAGE, true, port);
    port.answer(MemoryStatus.FAILED);

    assertThat(memory.read(PAGE - 4, Bytes.zeros(8), 0, 8)).isEqualTo(4);
    assertThat(memory.write(PAGE - 4, Bytes.zeros(8), 0, 8)).isEqualTo(4);
    // Nothing stands in the way now, as far as the map tells: the peer itself refused.
    assertThat(memory.statusAt(PAGE, Access.READ)).isEqualTo(MemoryStatus.OK);
  }

  @Test
  void aFillSetsExactlyItsBytesWhateverTheValueAndLength() {
    memory.addRam(0, RamRegion.allocate(64 * PAGE));
    for (int value : new int[] {0, 1, 0x7F, 0x80, 0xFF}) {
      for (long length : new long[] {0, 1, PAGE - 1, PAGE, PAGE + 1, 17 * PAGE + 5}) {
        memory.write(0, Bytes.noise(20 * PAGE, 9), 0, 20 * PAGE);
        byte[] before = Bytes.at(memory, 0, (int) (20 * PAGE));

        assertThat(memory.fill(100, length, (byte) value)).isEqualTo(length);

        byte[] after = Bytes.at(memory, 0, (int) (20 * PAGE));
        for (int i = 0; i < after.length; i++) {
          boolean inside = i >= 100 && i < 100 + length;
          if (after[i] != (inside ? (byte) value : before[i])) {
            throw new AssertionError("byte " + i + " of a fill of " + length + " with " + value);
          }
        }
      }
    }
  }

  @Test
  void nothingIsMovedForNoLength() {
    assertThat(memory.read(0, Bytes.zeros(1), 1, 0)).isZero();
    assertThat(memory.write(0, Bytes.zeros(1), 1, 0)).isZero();
    assertThat(memory.fill(0, 0, (byte) 1)).isZero();
    assertThat(memory.reach(0, 0, Access.READ)).isZero();
  }

  @Test
  void aRangeOutsideTheBufferIsAMistakeOfTheCaller() {
    memory.addRam(0, RamRegion.allocate(PAGE));
    MemorySegment buffer = Bytes.zeros(8);
    assertThatThrownBy(() -> memory.read(0, buffer, 4, 5))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> memory.write(0, buffer, -1, 1))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> memory.read(0, buffer, 0, -1))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void aBufferThatTheCallerClosedIsNotMaskedAsGuestMemoryThatWent() {
    memory.addRam(0, RamRegion.allocate(PAGE));
    Arena arena = Bytes.arena();
    MemorySegment buffer = arena.allocate(8);
    arena.close();

    assertThatThrownBy(() -> memory.read(0, buffer, 0, 8))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
    assertThatThrownBy(() -> memory.write(0, buffer, 0, 8))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void memoryThatWasUnmappedUnderItsRegionFailsEachAccess() {
    Arena arena = Bytes.arena();
    memory.addRam(0, RamRegion.of(arena.allocate(PAGE, 8), true, () -> {}));
    arena.close();

    Word word = new Word();
    assertThat(memory.load(0, 8, LITTLE, word)).isEqualTo(MemoryStatus.FAILED);
    assertThat(memory.store(0, 8, LITTLE, 1)).isEqualTo(MemoryStatus.FAILED);
    assertThat(memory.fetchAndAdd(0, 8, LITTLE, 1, word)).isEqualTo(MemoryStatus.FAILED);
    assertThat(memory.compareAndExchange(0, 8, LITTLE, 0, 1, word)).isEqualTo(MemoryStatus.FAILED);
    assertThat(memory.read(0, Bytes.zeros(8), 0, 8)).isZero();
    assertThat(memory.write(0, Bytes.zeros(8), 0, 8)).isZero();
    assertThat(memory.fill(0, 8, (byte) 1)).isZero();
  }

  @Test
  void aFileThatThePeerShortensFailsTheAccessAndNotTheProcess(@TempDir Path folder)
      throws Exception {
    try (FileChannel file = sized(folder.resolve("ram"))) {
      Arena arena = Bytes.arena();
      MemorySegment mapped = file.map(MapMode.READ_WRITE, 0, 4 * PAGE, arena);
      memory.addRam(0, RamRegion.of(mapped, true, false, arena::close));
      assertThat(memory.store(3 * PAGE, 8, LITTLE, 5)).isEqualTo(MemoryStatus.OK);

      file.truncate(PAGE);

      Word word = new Word();
      fails(() -> memory.load(3 * PAGE, 8, LITTLE, word));
      fails(() -> memory.load(3 * PAGE + 1, 8, LITTLE, word));
      fails(() -> memory.store(3 * PAGE, 8, LITTLE, 1));
      refusesAtomics(3 * PAGE);
      fails(() -> nothing(memory.read(3 * PAGE, Bytes.zeros(PAGE), 0, PAGE)));
      fails(() -> nothing(memory.write(3 * PAGE, Bytes.zeros(PAGE), 0, PAGE)));
      fails(() -> nothing(memory.fill(3 * PAGE, PAGE, (byte) 0)));
      assertThat(memory.read(0, Bytes.zeros(PAGE), 0, PAGE)).isEqualTo(PAGE);
    }
  }

  @Test
  void aFileThatThePeerShortensUnderCompiledCodeFailsEachAccess(@TempDir Path folder)
      throws Exception {
    try (FileChannel file = sized(folder.resolve("ram"))) {
      Arena arena = Bytes.arena();
      MemorySegment mapped = file.map(MapMode.READ_WRITE, 0, 4 * PAGE, arena);
      memory.addRam(0, RamRegion.of(mapped, true, false, arena::close));
      assertThat(loads(100_000)).isEqualTo(100_000);
      file.truncate(0);
      Word word = new Word();
      for (int i = 0; i < 100; i++) {
        fails(() -> memory.load(0, 8, LITTLE, word));
      }
    }
  }

  @Test
  void memoryThatAPeerMayShortenHasNoAtomicsWhetherItDidOrNot() {
    Arena arena = Bytes.arena();
    memory.addRam(0, RamRegion.of(arena.allocate(PAGE, 8), true, false, arena::close));

    refusesAtomics(0);

    long there = memory.ramAddress(0, 1, true);
    Word word = new Word();
    assertThat(memory.ram().compareAndExchange(there, 8, LITTLE, 0, 1, word)).isFalse();
    assertThat(memory.ram().fetchAndAdd(there, 8, LITTLE, 1, word)).isFalse();
    assertThat(memory.ram().load(there, 8, LITTLE, word)).isTrue();
    assertThat(memory.load(0, 8, LITTLE, word)).isEqualTo(MemoryStatus.OK);
    assertThat(word.asLong()).isZero();
  }

  private void refusesAtomics(long address) {
    Word word = new Word();
    for (ByteOrder order : List.of(LITTLE, ByteOrder.BIG_ENDIAN)) {
      assertThat(memory.fetchAndAdd(address, 8, order, 1, word)).isEqualTo(MemoryStatus.NO_ATOMICS);
      assertThat(memory.compareAndExchange(address, 4, order, 0, 1, word))
          .isEqualTo(MemoryStatus.NO_ATOMICS);
    }
  }

  private static MemoryStatus nothing(long moved) {
    return moved == 0 ? MemoryStatus.FAILED : MemoryStatus.OK;
  }

  /// Compiled code may notice the fault only at the next safepoint, behind the access: see
  /// [GuestMemory].
  private static void fails(Supplier<MemoryStatus> access) {
    MemoryStatus status;
    try {
      status = access.get();
    } catch (InternalError e) {
      assertThat(e).hasMessageContaining("unsafe memory access");
      return;
    }
    assertThat(status).isEqualTo(MemoryStatus.FAILED);
  }

  private int loads(int count) {
    Word word = new Word();
    int succeeded = 0;
    for (int i = 0; i < count; i++) {
      if (memory.load((i & 511) * 8L, 8, LITTLE, word) == MemoryStatus.OK) {
        succeeded++;
      }
    }
    return succeeded;
  }

  private static FileChannel sized(Path path) throws Exception {
    FileChannel file =
        FileChannel.open(
            path, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
    file.write(Bytes.zeros(4 * PAGE).asByteBuffer(), 0);
    return file;
  }
}
