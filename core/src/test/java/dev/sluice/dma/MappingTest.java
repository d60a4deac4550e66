package dev.sluice.dma;

import static dev.sluice.dma.DmaMachine.PAGE;
import static dev.sluice.dma.DmaMachine.RAM;
import static dev.sluice.dma.DmaMachine.RAM_SIZE;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.iommu.Revocation;
import dev.sluice.memory.Access;
import dev.sluice.memory.Bytes;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a mapping can do while it lives, and that it does nothing after.
class MappingTest {
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final ByteOrder BIG = ByteOrder.BIG_ENDIAN;

  private final DmaMachine machine = new DmaMachine();
  private final GuestMemory memory = machine.memory;

  private Mapping mapping(Access access) {
    for (long i = 0; i < 64; i++) {
      machine.map(i, i);
    }
    return machine.mapping(0, RAM_SIZE, access);
  }

  @Test
  void bytesGoInAndOut() {
    try (Mapping mapping = mapping(Access.READ_WRITE)) {
      MemorySegment from = Bytes.noise(50 * PAGE, 1);
      MemorySegment into = Bytes.zeros(50 * PAGE);
      mapping.write(100, from, 5, 50 * PAGE - 5);
      assertThat(Bytes.at(memory, RAM + 100, (int) (50 * PAGE) - 5))
          .isEqualTo(Bytes.array(from.asSlice(5)));
      mapping.read(100, into, 5, 50 * PAGE - 5);
      assertThat(into.asSlice(5).mismatch(from.asSlice(5))).isEqualTo(-1);
      mapping.fill(200, 40 * PAGE, (byte) 7);
      assertThat(Bytes.at(memory, RAM + 200, (int) (40 * PAGE))).containsOnly(7);
      assertThat(Bytes.at(memory, RAM + 100, 100)).isEqualTo(Bytes.array(from.asSlice(5, 100)));
      assertThat(Bytes.at(memory, RAM + 200 + 40 * PAGE, 8))
          .isEqualTo(Bytes.array(from.asSlice(105 + 40 * PAGE, 8)));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 8})
  void wordsAreLoadedAndStoredInBothOrdersAtEveryAlignment(int size) {
    long value = 0x8182_8384_8586_8788L;
    long expected = size == 8 ? value : value & ((1L << (8 * size)) - 1);
    long swapped = Long.reverseBytes(expected) >>> (64 - 8 * size);
    try (Mapping mapping = mapping(Access.READ_WRITE)) {
      for (long offset = 0; offset < 16; offset++) {
        mapping.store(offset, size, LITTLE, value);
        assertThat(mapping.load(offset, size, LITTLE)).isEqualTo(expected);
        assertThat(mapping.load(offset, size, BIG)).isEqualTo(swapped);
        mapping.store(offset, size, BIG, value);
        assertThat(mapping.load(offset, size, LITTLE)).isEqualTo(swapped);
      }
    }
  }

  private static Map<String, ThrowingCallable> reads(Mapping mapping, long offset, int length) {
    MemorySegment buffer = Bytes.zeros(8);
    return Map.of(
        "read", () -> mapping.read(offset, buffer, 0, length),
        "load", () -> mapping.load(offset, length, LITTLE));
  }

  private static Map<String, ThrowingCallable> writes(Mapping mapping, long offset, int length) {
    MemorySegment buffer = Bytes.noise(8, 7);
    return Map.of(
        "write", () -> mapping.write(offset, buffer, 0, length),
        "fill", () -> mapping.fill(offset, length, (byte) 1),
        "store", () -> mapping.store(offset, length, LITTLE, -1));
  }

  private static Map<String, ThrowingCallable> all(
      Mapping mapping, FileChannel file, long offset, int length) {
    Map<String, ThrowingCallable> uses = new TreeMap<>(reads(mapping, offset, length));
    uses.putAll(writes(mapping, offset, length));
    uses.put("readFrom", () -> mapping.readFrom(file, 0, offset, length));
    uses.put("writeTo", () -> mapping.writeTo(file, 0, offset, length));
    return uses;
  }

  @Test
  void aMappingIsUsedForWhatItWasMadeFor() {
    try (Mapping readOnly = mapping(Access.READ);
        Mapping writeOnly = mapping(Access.WRITE)) {
      reads(readOnly, 0, 8).forEach((name, use) -> assertThatCode(use).doesNotThrowAnyException());
      writes(writeOnly, 0, 8)
          .forEach((name, use) -> assertThatCode(use).doesNotThrowAnyException());
      writes(readOnly, 0, 8)
          .forEach((name, use) ->
              assertThatThrownBy(use)
                  .as(name)
                  .isInstanceOf(IllegalArgumentException.class)
                  .hasMessage("WRITE of a mapping for READ"));
      reads(writeOnly, 0, 8)
          .forEach((name, use) ->
              assertThatThrownBy(use).as(name).isInstanceOf(IllegalArgumentException.class));
    }
  }

  @Test
  void aUseOutsideTheMappingIsAMistakeOfTheCaller(@TempDir Path folder) throws Exception {
    try (Mapping mapping = mapping(Access.READ_WRITE);
        FileChannel file = open(folder)) {
      for (long offset : new long[] {-1, RAM_SIZE - 7, RAM_SIZE, Long.MAX_VALUE}) {
        all(mapping, file, offset, 8)
            .forEach((name, use) ->
                assertThatThrownBy(use).as(name).isInstanceOf(IndexOutOfBoundsException.class));
      }
    }
  }

  private static FileChannel open(Path folder) throws IOException {
    return FileChannel.open(
        folder.resolve("disk"),
        StandardOpenOption.CREATE,
        StandardOpenOption.READ,
        StandardOpenOption.WRITE);
  }

  @Test
  void aClosedMappingTouchesNothing(@TempDir Path folder) throws Exception {
    Mapping mapping = mapping(Access.READ_WRITE);
    mapping.close();
    mapping.close();
    assertThat(mapping.isLive()).isFalse();
    deadAndHarmless(mapping, folder, MappingClosedException.class);
  }

  @Test
  void aRevokedMappingTouchesNothing(@TempDir Path folder) throws Exception {
    machine.dma.revocation(Revocation.immediately());
    Mapping mapping = mapping(Access.READ_WRITE);
    machine.unmap(3, "done");
    assertThat(machine.completed).containsExactly("done");
    deadAndHarmless(mapping, folder, MappingRevokedException.class);
    mapping.close();
    assertThatThrownBy(() -> mapping.load(0, 4, LITTLE))
        .isInstanceOf(MappingRevokedException.class)
        .hasMessageContaining("mapping of 262144 bytes at 0x0 by 00:05.0");
  }

  private void deadAndHarmless(
      Mapping mapping, Path folder, Class<? extends IllegalStateException> expected)
      throws Exception {
    Files.write(folder.resolve("disk"), new byte[] {9, 9, 9, 9, 9, 9, 9, 9});
    byte[] before = Bytes.at(memory, RAM, 64);
    try (FileChannel file = open(folder)) {
      all(mapping, file, 0, 8)
          .forEach((name, use) -> assertThatThrownBy(use).as(name).isInstanceOf(expected));
    }
    assertThat(Bytes.at(memory, RAM, 64)).isEqualTo(before);
    assertThat(Files.readAllBytes(folder.resolve("disk"))).containsOnly(9);
    machine.invalidate(0, "no section is left open");
    assertThat(machine.completed).contains("no section is left open");
  }

  @Test
  void filesAreReadAndWrittenInPlace(@TempDir Path folder) throws Exception {
    byte[] content = Bytes.array(Bytes.noise(10_000, 4));
    Files.write(folder.resolve("disk"), content);
    try (Mapping mapping = mapping(Access.READ_WRITE);
        FileChannel file = open(folder)) {
      assertThat(mapping.readFrom(file, 1000, 50, 5000)).isEqualTo(5000);
      assertThat(Bytes.at(memory, RAM + 50, 5000))
          .isEqualTo(Bytes.array(MemorySegment.ofArray(content).asSlice(1000, 5000)));
      assertThat(Bytes.at(memory, RAM, 50)).containsOnly(0);
      assertThat(mapping.readFrom(file, 9990, 0, 100)).isEqualTo(10);
      assertThat(mapping.readFrom(file, 10_000, 0, 100)).isEqualTo(-1);
      assertThat(mapping.writeTo(file, 20_000, 50, 5000)).isEqualTo(5000);
      byte[] after = Files.readAllBytes(folder.resolve("disk"));
      assertThat(after).hasSize(25_000);
      assertThat(MemorySegment.ofArray(after).asSlice(20_000).toArray(JAVA_BYTE))
          .isEqualTo(Bytes.at(memory, RAM + 50, 5000));
    }
  }

  @Test
  void aFileThatCannotBeReadLeavesTheMappingUsableAndFreeToEnd(@TempDir Path folder)
      throws Exception {
    Mapping mapping = mapping(Access.READ_WRITE);
    FileChannel closed = open(folder);
    closed.close();
    assertThatThrownBy(() -> mapping.readFrom(closed, 0, 0, 8)).isInstanceOf(IOException.class);
    mapping.store(0, 8, LITTLE, 1);
    machine.unmap(0, "done");
    mapping.close();
    assertThat(machine.completed).containsExactly("done");
  }

  @Test
  void inputThatIsUnderWayDelaysTheDrainThoughTheMappingIsDead(@TempDir Path folder)
      throws Exception {
    machine.dma.revocation(Revocation.after(Duration.ofSeconds(2)));
    Files.write(folder.resolve("disk"), new byte[8]);
    Mapping mapping = mapping(Access.READ_WRITE);
    List<String> events = new ArrayList<>();
    try (FileChannel disk = open(folder)) {
      FileChannel slow =
          new SlowFile(
              disk,
              () -> {
                // The kernel is at work. The guest takes the page away, and time passes.
                machine.unmap(0, "done");
                machine.clock.advance(Duration.ofSeconds(3));
                events.add("live " + mapping.isLive() + ", completed " + machine.completed);
                assertThatThrownBy(() -> mapping.load(0, 4, LITTLE))
                    .isInstanceOf(MappingRevokedException.class);
                assertThatThrownBy(() -> mapping.readFrom(disk, 0, 0, 8))
                    .isInstanceOf(MappingRevokedException.class);
              });
      assertThat(mapping.readFrom(slow, 0, 0, 8)).isEqualTo(8);
    }
    assertThat(events).containsExactly("live false, completed []");
    assertThat(machine.completed).containsExactly("done");
  }

  @Test
  void closingAMappingDuringItsInputWaitsForNobodyAndTheDrainWaits(@TempDir Path folder)
      throws Exception {
    Files.write(folder.resolve("disk"), new byte[8]);
    Mapping mapping = mapping(Access.READ_WRITE);
    try (FileChannel disk = open(folder)) {
      FileChannel slow =
          new SlowFile(
              disk,
              () -> {
                mapping.close();
                machine.unmap(0, "done");
                memory.remove(RAM, RAM + RAM_SIZE - 1, () -> machine.completed.add("unmapped"));
                assertThat(machine.completed).isEmpty();
              });
      assertThat(mapping.readFrom(slow, 0, 0, 8)).isEqualTo(8);
    }
    assertThat(machine.completed).containsExactlyInAnyOrder("done", "unmapped");
  }

  @Test
  void memoryIsNotUnmappedUnderAMappingAndIsWhenTheMappingEnds() {
    Mapping mapping = mapping(Access.READ_WRITE);
    memory.remove(RAM, RAM + RAM_SIZE - 1, () -> machine.completed.add("unmapped"));
    assertThat(machine.completed).isEmpty();
    mapping.store(0, 8, LITTLE, 5);
    assertThat(mapping.load(0, 8, LITTLE)).isEqualTo(5);
    mapping.close();
    assertThat(machine.completed).containsExactly("unmapped");
  }

  @Test
  void aMappingThatKeepsMemoryFromGoingIsRevokedAtItsDeadline() {
    machine.dma.revocation(Revocation.after(Duration.ofSeconds(2)));
    Mapping mapping = mapping(Access.READ_WRITE);
    memory.remove(RAM, RAM + RAM_SIZE - 1, () -> machine.completed.add("unmapped"));
    machine.clock.advance(Duration.ofSeconds(1));
    assertThat(mapping.isLive()).isTrue();
    machine.clock.advance(Duration.ofSeconds(1));
    assertThat(machine.completed).containsExactly("unmapped");
    assertThatThrownBy(() -> mapping.load(0, 8, LITTLE))
        .isInstanceOf(MappingRevokedException.class);
  }

  @Test
  void withoutAnIommuTooMemoryThatGoesTakesItsMappingsAlong() {
    try (DmaContext direct = DmaContext.direct(memory, DmaMachine.DEVICE)) {
      direct.revocation(Revocation.immediately());
      Mapping mapping = (Mapping) direct.map(RAM, 64, Access.READ_WRITE);
      memory.remove(RAM, RAM + RAM_SIZE - 1, () -> machine.completed.add("unmapped"));
      assertThat(machine.completed).containsExactly("unmapped");
      assertThatThrownBy(() -> mapping.load(0, 8, LITTLE))
          .isInstanceOf(MappingRevokedException.class);
    }
  }

  @Test
  void closingTheContextTakesItsMappingsAway() {
    Mapping mapping = mapping(Access.READ_WRITE);
    machine.dma.close();
    assertThatThrownBy(() -> mapping.store(0, 1, LITTLE, 1))
        .isInstanceOf(MappingRevokedException.class);
    memory.remove(RAM, RAM + RAM_SIZE - 1, () -> machine.completed.add("unmapped"));
    assertThat(machine.completed).containsExactly("unmapped");

    try (DmaContext direct = DmaContext.direct(new GuestMemory(), DmaMachine.DEVICE)) {
      assertThat(direct.endpoint().holdCount()).isZero();
    }
  }

  @Test
  void aBufferThatTheDeviceClosedIsNotMistakenForADeadMapping() {
    Arena arena = Bytes.arena();
    MemorySegment buffer = arena.allocate(8);
    arena.close();
    try (Mapping mapping = mapping(Access.READ_WRITE)) {
      assertThatThrownBy(() -> mapping.read(0, buffer, 0, 8))
          .isInstanceOf(IllegalStateException.class)
          .isNotInstanceOf(MappingClosedException.class)
          .isNotInstanceOf(MappingRevokedException.class);
      assertThat(mapping.isLive()).isTrue();
    }
  }

  @Test
  void aFileThatThePeerShortensIsLostMemory(@TempDir Path folder) throws Exception {
    Files.write(folder.resolve("ram"), new byte[(int) PAGE]);
    try (FileChannel ram =
        FileChannel.open(
            folder.resolve("ram"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      Arena arena = Bytes.arena();
      memory.addRam(
          0, RamRegion.of(ram.map(MapMode.READ_WRITE, 0, PAGE, arena), true, arena::close));
      machine.iommu.map(0, 0);
      Mapping mapping = machine.mapping(0, PAGE, Access.READ_WRITE);
      ram.truncate(0);
      Map<String, ThrowingCallable> uses = new TreeMap<>(reads(mapping, 0, 8));
      uses.putAll(writes(mapping, 0, 8));
      uses.forEach((name, use) ->
          assertThatThrownBy(use)
              .as(name)
              // The second where compiled code notices late: see GuestMemory.
              .isInstanceOfAny(MemoryLostException.class, InternalError.class));
      try (FileChannel disk = open(folder)) {
        assertThatThrownBy(() -> mapping.writeTo(disk, 0, 0, 8)).isInstanceOf(IOException.class);
      }
      machine.unmap(0, "done");
      mapping.close();
      assertThat(machine.completed).containsExactly("done");
    }
  }
}
