package dev.sluice.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Loads, stores and atomic operations by guest-physical address, checked against `ByteBuffer`.
class GuestMemoryScalarTest {
  private static final long PAGE = GuestMemory.PAGE;
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final ByteOrder BIG = ByteOrder.BIG_ENDIAN;
  private static final long VALUE = 0x8182_8384_8586_8788L;

  private final GuestMemory memory = new GuestMemory();
  private final Word word = new Word();

  /// Two neighbouring regions, so that accesses around [#PAGE] cross from one into the other.
  @BeforeEach
  void placeRegions() {
    memory.addRam(0, RamRegion.allocate(PAGE));
    memory.addRam(PAGE, RamRegion.allocate(PAGE));
  }

  private static ByteOrder order(String name) {
    return name.equals("big") ? BIG : LITTLE;
  }

  private static long masked(long value, int bytes) {
    return bytes == 8 ? value : value & ((1L << (8 * bytes)) - 1);
  }

  private static long get(ByteBuffer buffer, int bytes) {
    return switch (bytes) {
      case 1 -> buffer.get(0) & 0xFF;
      case 2 -> buffer.getShort(0) & 0xFFFF;
      case 4 -> buffer.getInt(0) & 0xFFFF_FFFFL;
      default -> buffer.getLong(0);
    };
  }

  @ParameterizedTest
  @CsvSource({
    "1, little",
    "1, big",
    "2, little",
    "2, big",
    "4, little",
    "4, big",
    "8, little",
    "8, big"
  })
  void everySizeAndOrderAtEveryAlignmentAndAcrossTheEdgeOfARegion(int bytes, String orderName) {
    ByteOrder order = order(orderName);
    for (long address = PAGE - 16; address < PAGE + 16; address++) {
      assertThat(memory.fill(PAGE - 32, 64, (byte) 0x55)).isEqualTo(64);
      assertThat(memory.store(address, bytes, order, VALUE)).isEqualTo(MemoryStatus.OK);

      byte[] stored = Bytes.at(memory, address, bytes);
      assertThat(get(ByteBuffer.wrap(stored).order(order), bytes)).isEqualTo(masked(VALUE, bytes));
      assertThat(Bytes.at(memory, address - 1, 1)).containsExactly(0x55);
      assertThat(Bytes.at(memory, address + bytes, 1)).containsExactly(0x55);

      assertThat(memory.load(address, bytes, order, word)).isEqualTo(MemoryStatus.OK);
      assertThat(word.asLong()).isEqualTo(masked(VALUE, bytes));
      assertThat(word.asInt()).isEqualTo((int) masked(VALUE, bytes));
    }
  }

  @Test
  void aWordShowsItsValueInHexadecimal() {
    word.set(0xABCDL);
    assertThat(word).hasToString("0xabcd");
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 3, 5, 16})
  void otherSizesAreAMistakeOfTheCaller(int bytes) {
    assertThatThrownBy(() -> memory.load(0, bytes, LITTLE, word))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> memory.store(0, bytes, LITTLE, 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> memory.fetchAndAdd(0, bytes, LITTLE, 1, word))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aStoreThatReachesIntoAHoleChangesNothing() {
    assertThat(memory.store(2 * PAGE - 4, 8, LITTLE, -1)).isEqualTo(MemoryStatus.HOLE);
    assertThat(Bytes.at(memory, 2 * PAGE - 8, 8)).containsOnly(0);
    word.set(99);
    assertThat(memory.load(2 * PAGE - 4, 8, LITTLE, word)).isEqualTo(MemoryStatus.HOLE);
    assertThat(word.asLong()).isEqualTo(99);
  }

  @Test
  void aStoreThatReachesIntoReadOnlyMemoryChangesNothing() {
    memory.addRam(2 * PAGE, rom(PAGE));
    assertThat(memory.store(2 * PAGE - 4, 8, LITTLE, -1)).isEqualTo(MemoryStatus.READ_ONLY);
    assertThat(Bytes.at(memory, 2 * PAGE - 8, 8)).containsOnly(0);
    assertThat(memory.load(2 * PAGE - 4, 8, LITTLE, word)).isEqualTo(MemoryStatus.OK);
  }

  @Test
  void readOnlyMemoryIsReadAndNotWritten() {
    memory.addRam(2 * PAGE, rom(PAGE));
    assertThat(memory.load(2 * PAGE, 8, LITTLE, word)).isEqualTo(MemoryStatus.OK);
    assertThat(word.asLong()).isEqualTo(0x7777_7777_7777_7777L);
    assertThat(memory.store(2 * PAGE, 8, LITTLE, 1)).isEqualTo(MemoryStatus.READ_ONLY);
    assertThat(memory.compareAndExchange(2 * PAGE, 8, LITTLE, 0, 1, word))
        .isEqualTo(MemoryStatus.READ_ONLY);
    assertThat(memory.fetchAndAdd(2 * PAGE, 4, LITTLE, 1, word)).isEqualTo(MemoryStatus.READ_ONLY);
    assertThat(Bytes.at(memory, 2 * PAGE, 8)).containsOnly(0x77);
  }

  /// Devices may not write; the host could.
  private static RamRegion rom(long size) {
    Arena arena = Bytes.arena();
    MemorySegment bytes = arena.allocate(size, 8).fill((byte) 0x77);
    return RamRegion.of(bytes, false, arena::close);
  }

  @ParameterizedTest
  @CsvSource({"4, little", "4, big", "8, little", "8, big"})
  void compareAndExchangeReplacesOnlyWhatIsExpected(int bytes, String orderName) {
    ByteOrder order = order(orderName);
    memory.store(64, bytes, order, VALUE);
    long was = masked(VALUE, bytes);

    assertThat(memory.compareAndExchange(64, bytes, order, was + 1, 5, word))
        .isEqualTo(MemoryStatus.OK);
    assertThat(word.asLong()).isEqualTo(was);
    memory.load(64, bytes, order, word);
    assertThat(word.asLong()).isEqualTo(was);

    assertThat(memory.compareAndExchange(64, bytes, order, was, 5, word))
        .isEqualTo(MemoryStatus.OK);
    assertThat(word.asLong()).isEqualTo(was);
    memory.load(64, bytes, order, word);
    assertThat(word.asLong()).isEqualTo(5);
    assertThat(Bytes.at(memory, 64 + bytes, 8)).containsOnly(0);
  }

  @ParameterizedTest
  @CsvSource({"4, little", "4, big", "8, little", "8, big"})
  void fetchAndAddWrapsAndStaysWithinItsBytes(int bytes, String orderName) {
    ByteOrder order = order(orderName);
    memory.store(64, bytes, order, -1);

    assertThat(memory.fetchAndAdd(64, bytes, order, 3, word)).isEqualTo(MemoryStatus.OK);
    assertThat(word.asLong()).isEqualTo(masked(-1, bytes));
    memory.load(64, bytes, order, word);
    assertThat(word.asLong()).isEqualTo(2);

    assertThat(memory.fetchAndAdd(64, bytes, order, -2, word)).isEqualTo(MemoryStatus.OK);
    assertThat(word.asLong()).isEqualTo(2);
    assertThat(Bytes.at(memory, 56, 8)).containsOnly(0);
    assertThat(Bytes.at(memory, 64, 8)).containsOnly(0);
    assertThat(Bytes.at(memory, 72, 8)).containsOnly(0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"little", "big"})
  void additionsOfSeveralThreadsAllCount(String orderName) throws Exception {
    ByteOrder order = order(orderName);
    Thread other = Thread.ofPlatform().start(() -> addMany(order));
    addMany(order);
    other.join();
    memory.load(128, 8, order, word);
    assertThat(word.asLong()).isEqualTo(200_000);
  }

  private void addMany(ByteOrder order) {
    Word before = new Word();
    for (int i = 0; i < 100_000; i++) {
      memory.fetchAndAdd(128, 8, order, 1, before);
    }
  }

  @Test
  void anAtomicThatIsNotAlignedIsRefused() {
    for (long address : new long[] {1, 2, 4, PAGE - 4}) {
      assertThat(memory.compareAndExchange(address, 8, LITTLE, 0, 1, word))
          .isEqualTo(MemoryStatus.MISALIGNED);
      assertThat(memory.fetchAndAdd(address, 8, LITTLE, 1, word))
          .isEqualTo(MemoryStatus.MISALIGNED);
    }
    assertThat(memory.fetchAndAdd(4, 4, LITTLE, 1, word)).isEqualTo(MemoryStatus.OK);
  }

  @Test
  void anAtomicIsRefusedWhereTheHostCouldNotAlignIt() {
    Arena arena = Bytes.arena();
    memory.addRam(2 * PAGE, RamRegion.of(arena.allocate(PAGE, 8).asSlice(1), true, arena::close));
    assertThat(memory.fetchAndAdd(2 * PAGE, 8, LITTLE, 1, word)).isEqualTo(MemoryStatus.MISALIGNED);
    assertThat(memory.store(2 * PAGE, 8, LITTLE, VALUE)).isEqualTo(MemoryStatus.OK);
    assertThat(memory.load(2 * PAGE, 8, LITTLE, word)).isEqualTo(MemoryStatus.OK);
    assertThat(word.asLong()).isEqualTo(VALUE);
  }

  @Test
  void anAtomicInAHoleOrBehindMessagesIsRefused() {
    FakePort port = new FakePort(4 * PAGE, PAGE);
    memory.addMessageOnly(4 * PAGE, PAGE, true, port);

    assertThat(memory.fetchAndAdd(8 * PAGE, 8, LITTLE, 1, word)).isEqualTo(MemoryStatus.HOLE);
    assertThat(memory.compareAndExchange(8 * PAGE, 8, LITTLE, 0, 1, word))
        .isEqualTo(MemoryStatus.HOLE);
    assertThat(memory.fetchAndAdd(4 * PAGE, 8, LITTLE, 1, word)).isEqualTo(MemoryStatus.NO_ATOMICS);
    assertThat(memory.compareAndExchange(4 * PAGE, 8, LITTLE, 0, 1, word))
        .isEqualTo(MemoryStatus.NO_ATOMICS);
    assertThat(port.messages()).isZero();
  }

  @Test
  void loadsAndStoresReachMessageOnlyMemoryInBothOrders() {
    FakePort port = new FakePort(4 * PAGE, PAGE);
    memory.addMessageOnly(4 * PAGE, PAGE, true, port);

    assertThat(memory.store(4 * PAGE + 3, 4, BIG, 0x01020304)).isEqualTo(MemoryStatus.OK);
    assertThat(Bytes.array(port.bytes().asSlice(3, 4))).containsExactly(1, 2, 3, 4);
    assertThat(memory.load(4 * PAGE + 3, 4, LITTLE, word)).isEqualTo(MemoryStatus.OK);
    assertThat(word.asInt()).isEqualTo(0x04030201);
  }

  @Test
  void aThreadThatMayNotWaitIsToldSo() {
    FakePort port = new FakePort(4 * PAGE, PAGE);
    memory.addMessageOnly(4 * PAGE, PAGE, true, port);
    port.mayWait(false);

    assertThat(memory.load(4 * PAGE, 4, LITTLE, word)).isEqualTo(MemoryStatus.WOULD_BLOCK);
    assertThat(memory.store(4 * PAGE, 4, LITTLE, 1)).isEqualTo(MemoryStatus.WOULD_BLOCK);
    assertThat(memory.statusAt(4 * PAGE, Access.READ)).isEqualTo(MemoryStatus.WOULD_BLOCK);
    assertThat(memory.reach(4 * PAGE, 8, Access.READ)).isZero();
  }

  @Test
  void aPeerThatRefusesIsNotMistakenForAThreadThatMayNotWait() {
    FakePort port = new FakePort(4 * PAGE, PAGE);
    memory.addMessageOnly(4 * PAGE, PAGE, true, port);
    port.answer(MemoryStatus.FAILED);

    assertThat(memory.load(4 * PAGE, 4, LITTLE, word)).isEqualTo(MemoryStatus.FAILED);
    assertThat(memory.store(4 * PAGE, 4, LITTLE, 1)).isEqualTo(MemoryStatus.FAILED);
  }
}
