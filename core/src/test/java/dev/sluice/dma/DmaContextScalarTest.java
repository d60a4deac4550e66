package dev.sluice.dma;

import static dev.sluice.dma.DmaMachine.DEVICE;
import static dev.sluice.dma.DmaMachine.PAGE;
import static dev.sluice.dma.DmaMachine.RAM;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.FakeIommu;
import dev.sluice.memory.Access;
import dev.sluice.memory.Bytes;
import dev.sluice.memory.FakePort;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.RamRegion;
import dev.sluice.memory.Word;
import java.lang.foreign.Arena;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Loads, stores and atomic operations through a context.
class DmaContextScalarTest {
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final ByteOrder BIG = ByteOrder.BIG_ENDIAN;
  private static final long VALUE = 0x8182_8384_8586_8788L;

  private final DmaMachine machine = new DmaMachine();
  private final DmaContext dma = machine.dma;
  private final FakeIommu iommu = machine.iommu;
  private final GuestMemory memory = machine.memory;
  private final Word word = new Word();

  enum Way {
    LOAD(Access.READ),
    STORE(Access.WRITE),
    EXCHANGE(Access.READ_WRITE),
    ADD(Access.READ_WRITE);

    final Access access;

    Way(Access access) {
      this.access = access;
    }

    @Nullable TargetAbort go(DmaContext dma, long iova) {
      Word word = new Word();
      return switch (this) {
        case LOAD -> dma.load(iova, 8, LITTLE, word);
        case STORE -> dma.store(iova, 8, LITTLE, VALUE);
        case EXCHANGE -> dma.compareAndExchange(iova, 8, LITTLE, 0, VALUE, word);
        case ADD -> dma.fetchAndAdd(iova, 8, LITTLE, 1, word);
      };
    }
  }

  private void refused(Way way, long iova, AbortReason reason, int code) {
    iommu.reports().clear();
    assertThat(way.go(dma, iova))
        .isEqualTo(new TargetAbort(DEVICE, Endpoint.NO_PASID, iova, way.access, reason, code, 0));
    assertThat(iommu.reports()).hasSize(code == TargetAbort.NO_CODE ? 0 : 1);
  }

  /// The page beyond the edge is elsewhere in memory, so an access across goes to two places.
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
  void everySizeAndOrderAtEveryAlignmentAndAcrossTheEdgeOfAPage(int bytes, String orderName) {
    ByteOrder order = orderName.equals("big") ? BIG : LITTLE;
    machine.map(0, 4).map(1, 2);
    long expected = bytes == 8 ? VALUE : VALUE & ((1L << (8 * bytes)) - 1);
    for (long iova = PAGE - 16; iova < PAGE + 16; iova++) {
      assertThat(dma.fill(0, 2 * PAGE, (byte) 0x55)).isNull();
      assertThat(dma.store(iova, bytes, order, VALUE)).isNull();
      for (int i = 0; i < bytes; i++) {
        int shift = 8 * (order == BIG ? bytes - 1 - i : i);
        long at = iova + i;
        long address = RAM + (at < PAGE ? 4 * PAGE + at : 2 * PAGE + at - PAGE);
        assertThat(Bytes.at(memory, address, 1)).containsExactly((byte) (VALUE >>> shift));
      }
      assertThat(dma.load(iova, bytes, order, word)).isNull();
      assertThat(word.asLong()).isEqualTo(expected);
      // Its neighbours are untouched.
      assertThat(dma.load(iova - 1, 1, order, word)).isNull();
      assertThat(word.asLong()).isEqualTo(0x55);
      assertThat(dma.load(iova + bytes, 1, order, word)).isNull();
      assertThat(word.asLong()).isEqualTo(0x55);
    }
  }

  @ParameterizedTest
  @CsvSource({"4, little", "4, big", "8, little", "8, big"})
  void atomicOperationsWorkInBothOrders(int bytes, String orderName) {
    ByteOrder order = orderName.equals("big") ? BIG : LITTLE;
    machine.map(3, 3);
    assertThat(dma.store(3 * PAGE, bytes, order, 41)).isNull();
    assertThat(dma.fetchAndAdd(3 * PAGE, bytes, order, 1, word)).isNull();
    assertThat(word.asLong()).isEqualTo(41);
    assertThat(dma.compareAndExchange(3 * PAGE, bytes, order, 41, 7, word)).isNull();
    assertThat(word.asLong()).isEqualTo(42);
    assertThat(dma.compareAndExchange(3 * PAGE, bytes, order, 42, 7, word)).isNull();
    assertThat(dma.load(3 * PAGE, bytes, order, word)).isNull();
    assertThat(word.asLong()).isEqualTo(7);
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void anAddressThatIsNotMappedIsRefused(Way way) {
    refused(way, 8, AbortReason.NOT_MAPPED, FakeIommu.CODE_NOT_MAPPED);
  }

  @Test
  void eachOperationNeedsItsRights() {
    machine.map(0, 0, Access.READ).map(1, 1, Access.WRITE);
    assertThat(Way.LOAD.go(dma, 0)).isNull();
    refused(Way.STORE, 0, AbortReason.NO_WRITE, FakeIommu.CODE_NO_WRITE);
    refused(Way.EXCHANGE, 0, AbortReason.NO_WRITE, FakeIommu.CODE_NO_WRITE);
    refused(Way.ADD, 0, AbortReason.NO_WRITE, FakeIommu.CODE_NO_WRITE);
    assertThat(Way.STORE.go(dma, PAGE)).isNull();
    refused(Way.LOAD, PAGE, AbortReason.NO_READ, FakeIommu.CODE_NO_READ);
    refused(Way.EXCHANGE, PAGE, AbortReason.NO_READ, FakeIommu.CODE_NO_READ);
    refused(Way.ADD, PAGE, AbortReason.NO_READ, FakeIommu.CODE_NO_READ);
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void whatTheMemoryRefusesCarriesNoCode(Way way) {
    iommu.map(0, 1L << 50);
    refused(way, 0, AbortReason.NO_MEMORY, TargetAbort.NO_CODE);

    FakePort port = new FakePort(0, PAGE);
    memory.addMessageOnly(0, PAGE, true, port);
    iommu.map(PAGE, 0);
    port.answer(MemoryStatus.FAILED);
    boolean atomic = way.access == Access.READ_WRITE;
    refused(
        way,
        PAGE,
        atomic ? AbortReason.NO_ATOMICS : AbortReason.MEMORY_FAILED,
        TargetAbort.NO_CODE);

    Arena arena = Bytes.arena();
    memory.addRam(PAGE, RamRegion.of(arena.allocate(PAGE, 8), false, arena::close));
    iommu.map(2 * PAGE, PAGE);
    if (way.access.writes()) {
      refused(way, 2 * PAGE, AbortReason.READ_ONLY_MEMORY, TargetAbort.NO_CODE);
    }
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void anOperationAcrossTheEndOfTheAddressSpaceIsRefused(Way way) {
    iommu.map(-PAGE, RAM);
    iommu.map(0, RAM + PAGE);
    refused(way, -4, AbortReason.ADDRESS_WRAP, TargetAbort.NO_CODE);
    assertThat(way.go(dma, -8)).isNull();
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void aFunctionThatIsNoBusMasterIsRefused(Way way) {
    machine.map(0, 0);
    dma.busMaster(false);
    refused(way, 0, AbortReason.BUS_MASTER_OFF, TargetAbort.NO_CODE);
  }

  @Test
  void anAtomicThatIsNotAlignedIsRefusedWithinAPageAndAcrossPages() {
    machine.map(0, 0).map(1, 1);
    for (long iova : new long[] {4, PAGE - 4}) {
      refused(Way.EXCHANGE, iova, AbortReason.MISALIGNED, TargetAbort.NO_CODE);
      refused(Way.ADD, iova, AbortReason.MISALIGNED, TargetAbort.NO_CODE);
    }
  }

  @Test
  void anAtomicOf1Or2BytesIsAMistakeOfTheCaller() {
    machine.map(0, 0);
    assertThatThrownBy(() -> dma.fetchAndAdd(0, 2, LITTLE, 1, word))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> dma.load(0, 3, LITTLE, word))
        .isInstanceOf(IllegalArgumentException.class);
    machine.invalidate(0, "the section has ended");
    assertThat(machine.completed).hasSize(1);
  }

  @Test
  void aStoreAcrossPagesThatIsRefusedOnTheSecondSaysHowManyBytesMoved() {
    machine.map(0, 0).map(1, 1, Access.READ);
    assertThat(dma.store(PAGE - 3, 8, LITTLE, VALUE))
        .isEqualTo(
            new TargetAbort(
                DEVICE,
                Endpoint.NO_PASID,
                PAGE,
                Access.WRITE,
                AbortReason.NO_WRITE,
                FakeIommu.CODE_NO_WRITE,
                3));
    assertThat(Bytes.at(memory, RAM + PAGE - 3, 3))
        .containsExactly((byte) 0x88, (byte) 0x87, (byte) 0x86);
    word.set(9);
    machine.map(2, 2, Access.WRITE);
    TargetAbort abort = dma.load(2 * PAGE - 3, 8, LITTLE, word);
    assertThat(abort).isNotNull();
    assertThat(abort.bytesMoved()).isEqualTo(3);
    assertThat(abort.iova()).isEqualTo(2 * PAGE);
    assertThat(word.asLong()).isEqualTo(9);
  }

  @Test
  void aStoreOfOneAlignedDoublewordIntoTheInterruptRangeIsAMessageInEitherOrder() {
    assertThat(dma.store(FakeIommu.INTERRUPTS, 4, LITTLE, 0x1234_5678)).isNull();
    assertThat(dma.store(FakeIommu.INTERRUPTS + 4, 4, BIG, 0x1234_5678)).isNull();
    assertThat(iommu.messages())
        .containsExactly(
            new FakeIommu.Message(DEVICE, FakeIommu.INTERRUPTS, 0x1234_5678),
            new FakeIommu.Message(DEVICE, FakeIommu.INTERRUPTS + 4, 0x7856_3412));
    iommu.messages().clear();
    refused(Way.STORE, FakeIommu.INTERRUPTS, AbortReason.INTERRUPT_RANGE, TargetAbort.NO_CODE);
    assertThat(dma.store(FakeIommu.INTERRUPTS + 2, 4, LITTLE, 0)).isNotNull();
    assertThat(iommu.messages()).isEmpty();
  }

  @Test
  void operationsInTheInterruptRangeThatAreNoStoresAreFaultsOfTheModel() {
    refused(Way.LOAD, FakeIommu.INTERRUPTS, AbortReason.INTERRUPT_RANGE, 2);
    refused(Way.ADD, FakeIommu.INTERRUPTS, AbortReason.INTERRUPT_RANGE, 2);
  }
}
