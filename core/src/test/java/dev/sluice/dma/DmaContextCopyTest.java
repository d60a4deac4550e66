package dev.sluice.dma;

import static dev.sluice.dma.DmaMachine.DEVICE;
import static dev.sluice.dma.DmaMachine.PAGE;
import static dev.sluice.dma.DmaMachine.RAM;
import static dev.sluice.dma.DmaMachine.RAM_SIZE;
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
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Copies, fills and checks through a context: what moves, what is refused, how far it got.
class DmaContextCopyTest {
  private final DmaMachine machine = new DmaMachine();
  private final DmaContext dma = machine.dma;
  private final FakeIommu iommu = machine.iommu;
  private final GuestMemory memory = machine.memory;

  /// The ways to move bytes, so that each rule is tried on each.
  enum Way {
    READ(Access.READ),
    WRITE(Access.WRITE),
    FILL(Access.WRITE),
    CHECK_READ(Access.READ),
    CHECK_WRITE(Access.WRITE),
    LIST_READ(Access.READ),
    LIST_WRITE(Access.WRITE),
    LIST_FILL(Access.WRITE);

    final Access access;

    Way(Access access) {
      this.access = access;
    }

    boolean reports() {
      return this != CHECK_READ && this != CHECK_WRITE;
    }

    @Nullable TargetAbort go(DmaContext dma, long iova, long length) {
      MemorySegment buffer = Bytes.noise(length, 1);
      ScatterGatherList list = new ScatterGatherList().add(iova, length);
      return switch (this) {
        case READ -> dma.read(iova, buffer, 0, length);
        case WRITE -> dma.write(iova, buffer, 0, length);
        case FILL -> dma.fill(iova, length, (byte) 0x5A);
        case CHECK_READ, CHECK_WRITE -> dma.check(iova, length, access);
        case LIST_READ -> dma.read(list, 0, buffer, 0, length);
        case LIST_WRITE -> dma.write(list, 0, buffer, 0, length);
        case LIST_FILL -> dma.fill(list, 0, length, (byte) 0x5A);
      };
    }
  }

  private void refused(
      Way way, long iova, long length, AbortReason reason, int code, long at, long moved) {
    iommu.reports().clear();
    TargetAbort abort = way.go(dma, iova, length);
    assertThat(abort)
        .isEqualTo(new TargetAbort(DEVICE, Endpoint.NO_PASID, at, way.access, reason, code, moved));
    if (code != TargetAbort.NO_CODE && way.reports()) {
      assertThat(iommu.reports())
          .singleElement()
          .satisfies(report -> {
            assertThat(report.requester()).isEqualTo(DEVICE);
            assertThat(report.iova()).isEqualTo(at);
            assertThat(report.access()).isEqualTo(way.access);
            assertThat(report.fault().reason()).isEqualTo(reason);
          });
    } else {
      assertThat(iommu.reports()).isEmpty();
    }
  }

  // --- what moves

  /// RAM may begin anywhere, so a page's place in its region says nothing about where it ends.
  @Test
  void pagesOfRamThatBeginsWithinAPageAreMovedAsOthers() {
    long ram = 0x1000_0800;
    memory.addRam(ram, RamRegion.allocate(16 * PAGE));
    long[] pages = {0x1000_5000, 0x1000_3000, 0x1000_4000, 0x1000_1000};
    for (int i = 0; i < pages.length; i++) {
      iommu.map((7 + i) * PAGE, pages[i], 12, Access.READ_WRITE);
    }
    MemorySegment from = Bytes.noise(3 * PAGE, 3);
    for (int i = 0; i < 2; i++) { // by the tables, then cached
      MemorySegment into = Bytes.zeros(3 * PAGE);
      assertThat(dma.write(7 * PAGE + 100, from, 0, 3 * PAGE)).isNull();
      assertThat(dma.read(7 * PAGE + 100, into, 0, 3 * PAGE)).isNull();
      assertThat(into.mismatch(from)).isEqualTo(-1);
      int inFirst = (int) PAGE - 100;
      assertThat(Bytes.at(memory, pages[0] + 100, inFirst))
          .isEqualTo(Bytes.array(from.asSlice(0, inFirst)));
      assertThat(Bytes.at(memory, pages[1], 2 * (int) PAGE))
          .isEqualTo(Bytes.array(from.asSlice(inFirst, 2 * PAGE)));
      assertThat(Bytes.at(memory, pages[3], 100))
          .isEqualTo(Bytes.array(from.asSlice(3 * PAGE - 100)));
    }
  }

  @Test
  void bytesGoWhereTheTablesSay() {
    machine.map(7, 3).map(8, 1);
    MemorySegment from = Bytes.noise(5000, 3);
    MemorySegment into = Bytes.zeros(5000);

    assertThat(dma.write(7 * PAGE + 100, from, 0, 5000)).isNull();
    assertThat(dma.read(7 * PAGE + 100, into, 0, 5000)).isNull();

    assertThat(into.mismatch(from)).isEqualTo(-1);
    int inFirst = (int) PAGE - 100;
    assertThat(Bytes.at(memory, RAM + 3 * PAGE + 100, inFirst))
        .isEqualTo(Bytes.array(from.asSlice(0, inFirst)));
    assertThat(Bytes.at(memory, RAM + PAGE, 5000 - inFirst))
        .isEqualTo(Bytes.array(from.asSlice(inFirst)));
  }

  @Test
  void withoutAnIommuAddressesAreGuestPhysical() {
    try (DmaContext direct = DmaContext.direct(memory, DEVICE)) {
      MemorySegment from = Bytes.noise(3 * PAGE, 3);
      assertThat(direct.write(RAM + 5, from, 0, 3 * PAGE)).isNull();
      assertThat(Bytes.at(memory, RAM + 5, (int) (3 * PAGE))).isEqualTo(Bytes.array(from));
      assertThat(direct.fill(RAM, RAM_SIZE, (byte) 1)).isNull();
      assertThat(direct.check(RAM, RAM_SIZE, Access.READ_WRITE)).isNull();
      assertThat(direct.requester()).isEqualTo(DEVICE);
      TargetAbort abort = direct.read(RAM + RAM_SIZE - 10, Bytes.zeros(64), 0, 64);
      assertThat(abort)
          .isEqualTo(
              new TargetAbort(
                  DEVICE,
                  Endpoint.NO_PASID,
                  RAM + RAM_SIZE,
                  Access.READ,
                  AbortReason.NO_MEMORY,
                  TargetAbort.NO_CODE,
                  10));
    }
  }

  @Test
  void largePagesAreOneTranslation() {
    memory.addRam(1L << 30, RamRegion.allocate(1L << 21));
    iommu.map(1L << 40, 1L << 30, 21, Access.READ_WRITE);
    MemorySegment from = Bytes.noise(1L << 21, 3);
    assertThat(dma.write(1L << 40, from, 0, 1L << 21)).isNull();
    assertThat(memory.read(1L << 30, Bytes.zeros(8), 0, 8)).isEqualTo(8);
    assertThat(Bytes.at(memory, (1L << 30) + 999_999, 64))
        .isEqualTo(Bytes.array(from.asSlice(999_999, 64)));
    assertThat(iommu.walks()).isEqualTo(1);
  }

  @Test
  void heapBuffersServeToo() {
    machine.map(0, 0);
    byte[] from = {1, 2, 3, 4, 5};
    byte[] into = new byte[5];
    assertThat(dma.write(3, MemorySegment.ofArray(from), 1, 4)).isNull();
    assertThat(dma.read(3, MemorySegment.ofArray(into), 1, 4)).isNull();
    assertThat(into).containsExactly(0, 2, 3, 4, 5);
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void noBytesAreAlwaysAllowedAndAskNobody(Way way) {
    assertThat(way.go(dma, 0xDEAD_BEEFL, 0)).isNull();
    assertThat(iommu.walks()).isZero();
  }

  @Test
  void argumentsOutOfRangeAreAMistakeOfTheCaller() {
    MemorySegment buffer = Bytes.zeros(8);
    assertThatThrownBy(() -> dma.read(0, buffer, 1, 8))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> dma.write(0, buffer, 0, -1))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> dma.fill(0, -1, (byte) 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> dma.check(0, -1, Access.READ))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> dma.map(0, 0, Access.READ))
        .isInstanceOf(IllegalArgumentException.class);
  }

  // --- what is refused, and how far it got

  @ParameterizedTest
  @EnumSource(Way.class)
  void aPageThatIsNotMappedStopsTheTransferWhereItBegins(Way way) {
    machine.map(0, 0).map(1, 1);
    refused(
        way,
        PAGE - 8,
        2 * PAGE,
        AbortReason.NOT_MAPPED,
        FakeIommu.CODE_NOT_MAPPED,
        2 * PAGE,
        PAGE + 8);
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void pagesOfOtherRightsStopTheTransferWhereTheyBegin(Way way) {
    boolean reads = way.access == Access.READ;
    machine.map(0, 0).map(1, 1, reads ? Access.WRITE : Access.READ);
    refused(
        way,
        100,
        2 * PAGE - 100,
        reads ? AbortReason.NO_READ : AbortReason.NO_WRITE,
        reads ? FakeIommu.CODE_NO_READ : FakeIommu.CODE_NO_WRITE,
        PAGE,
        PAGE - 100);
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void aBlockedRequesterGetsNothing(Way way) {
    machine.map(0, 0);
    iommu.block(DEVICE);
    refused(way, 16, 32, AbortReason.BLOCKED, FakeIommu.CODE_BLOCKED, 16, 0);
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void aTranslationIntoNothingIsRefusedByTheMemory(Way way) {
    machine.map(0, 0);
    iommu.map(PAGE, 1L << 50);
    refused(way, 0, 2 * PAGE, AbortReason.NO_MEMORY, TargetAbort.NO_CODE, PAGE, PAGE);
  }

  @ParameterizedTest
  @EnumSource(
      value = Way.class,
      names = {"WRITE", "FILL", "CHECK_WRITE", "LIST_WRITE", "LIST_FILL"})
  void readOnlyMemoryIsRefusedByTheMemoryThoughTheTablesAllowIt(Way way) {
    Arena arena = Bytes.arena();
    memory.addRam(0, RamRegion.of(arena.allocate(PAGE), false, arena::close));
    machine.map(0, 0);
    iommu.map(PAGE, 0);
    refused(way, PAGE - 4, 8, AbortReason.READ_ONLY_MEMORY, TargetAbort.NO_CODE, PAGE, 4);
    assertThat(dma.read(PAGE, Bytes.zeros(8), 0, 8)).isNull();
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void memoryBehindMessagesIsRefusedOnAThreadThatMayNotWait(Way way) {
    FakePort port = new FakePort(0, PAGE);
    port.mayWait(false);
    memory.addMessageOnly(0, PAGE, true, port);
    machine.map(0, 0);
    iommu.map(PAGE, 0);
    refused(way, PAGE - 4, 8, AbortReason.WOULD_BLOCK, TargetAbort.NO_CODE, PAGE, 4);
  }

  @ParameterizedTest
  @EnumSource(
      value = Way.class,
      names = {"READ", "WRITE", "FILL", "LIST_READ", "LIST_WRITE", "LIST_FILL"})
  void aPeerThatRefusesIsFailedMemory(Way way) {
    FakePort port = new FakePort(0, PAGE);
    port.answer(MemoryStatus.FAILED);
    memory.addMessageOnly(0, PAGE, true, port);
    machine.map(0, 0);
    iommu.map(PAGE, 0);
    refused(way, PAGE - 4, 8, AbortReason.MEMORY_FAILED, TargetAbort.NO_CODE, PAGE, 4);
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void aTransferEndsWithTheAddressSpaceAndDoesNotGoOnAtZero(Way way) {
    iommu.map(-PAGE, RAM);
    iommu.map(0, RAM + PAGE);
    refused(way, -8, 64, AbortReason.ADDRESS_WRAP, TargetAbort.NO_CODE, 0, 8);
    assertThat(way.go(dma, -64, 64)).isNull();
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void aFunctionThatIsNoBusMasterMovesNothing(Way way) {
    machine.map(0, 0);
    dma.busMaster(false);
    refused(way, 0, 8, AbortReason.BUS_MASTER_OFF, TargetAbort.NO_CODE, 0, 0);
    assertThat(iommu.walks()).isZero();
    dma.busMaster(true);
    assertThat(way.go(dma, 0, 8)).isNull();
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void aClosedContextMovesNothingEvenIfBusMasteringIsSwitchedOn(Way way) {
    machine.map(0, 0);
    dma.close();
    dma.busMaster(true);
    refused(way, 0, 8, AbortReason.BUS_MASTER_OFF, TargetAbort.NO_CODE, 0, 0);
    assertThat(iommu.invalidator().endpoints()).isEmpty();
    dma.close();
  }

  @Test
  void aCheckOfBothDirectionsNeedsBothRights() {
    machine.map(0, 0).map(1, 1, Access.READ).map(2, 2, Access.WRITE);
    assertThat(dma.check(0, PAGE, Access.READ_WRITE)).isNull();
    TargetAbort noWrite = dma.check(PAGE - 1, 2, Access.READ_WRITE);
    assertThat(noWrite).isNotNull().extracting(TargetAbort::reason).isEqualTo(AbortReason.NO_WRITE);
    TargetAbort noRead = dma.check(2 * PAGE, 2, Access.READ_WRITE);
    assertThat(noRead).isNotNull().extracting(TargetAbort::reason).isEqualTo(AbortReason.NO_READ);
    assertThat(iommu.reports()).isEmpty();
  }

  @Test
  void aCachedPageOfFewerRightsAsksTheModelAgain() {
    machine.map(0, 0, Access.READ);
    assertThat(dma.read(0, Bytes.zeros(8), 0, 8)).isNull();
    assertThat(dma.write(0, Bytes.zeros(8), 0, 8)).isNotNull();
    iommu.unmap(0);
    machine.map(0, 0);
    // Giving a right takes no invalidation here: what the cache does not allow, the tables decide.
    // not).
    assertThat(dma.write(0, Bytes.zeros(8), 0, 8)).isNull();
  }

  @Test
  void anAbortSaysEverythingInOneLine() {
    TargetAbort abort = dma.write(0x1000, Bytes.zeros(8), 0, 8);
    assertThat(abort)
        .hasToString(
            "WRITE of 0x1000 by 00:05.0 refused after 0 bytes: no translation for the address"
                + " (fault code 0x2)");
  }

  // --- sections

  @Test
  void aLongTransferIsCutSoThatAnInvalidationNeedNotWaitForItsEnd() {
    long pages = 2 * DmaContext.SECTION_BYTES / PAGE;
    for (long i = 0; i < pages; i++) {
      machine.map(i, i);
    }
    List<String> events = new ArrayList<>();
    int[] walks = {0};
    iommu.afterWalk(() -> {
      if (walks[0]++ == 0) {
        machine.invalidate(pages - 1, "not touched by the first section");
        assertThat(machine.completed).hasSize(1);
        machine.completed.clear();
        machine.invalidate(0, "first");
      }
      events.add(machine.completed.isEmpty() ? "waiting" : "complete");
    });

    assertThat(dma.read(0, Bytes.zeros(pages * PAGE), 0, pages * PAGE)).isNull();

    // The first section kept the invalidation waiting, the second did not.
    assertThat(events).hasSize((int) pages);
    assertThat(events.subList(0, (int) pages / 2)).containsOnly("waiting");
    assertThat(events.subList((int) pages / 2, (int) pages)).containsOnly("complete");
  }

  @Test
  void aLongTransferStopsWhereALaterSectionIsRefused() {
    long pages = 2 * DmaContext.SECTION_BYTES / PAGE;
    for (long i = 0; i < pages - 1; i++) {
      machine.map(i, i);
    }
    TargetAbort abort = dma.fill(0, pages * PAGE, (byte) 1);
    assertThat(abort).isNotNull();
    assertThat(abort.bytesMoved()).isEqualTo((pages - 1) * PAGE);
    assertThat(abort.iova()).isEqualTo((pages - 1) * PAGE);
  }

  @Test
  void switchingBusMasteringOffStopsALongTransferAtItsNextSection() {
    long pages = 2 * DmaContext.SECTION_BYTES / PAGE;
    for (long i = 0; i < pages; i++) {
      machine.map(i, i);
    }
    iommu.afterWalk(() -> dma.busMaster(false));
    TargetAbort abort = dma.fill(0, pages * PAGE, (byte) 1);
    assertThat(abort)
        .isEqualTo(
            new TargetAbort(
                DEVICE,
                Endpoint.NO_PASID,
                DmaContext.SECTION_BYTES,
                Access.WRITE,
                AbortReason.BUS_MASTER_OFF,
                TargetAbort.NO_CODE,
                DmaContext.SECTION_BYTES));
  }

  @Test
  void aMistakeOfTheCallerEndsTheSection() {
    machine.map(0, 0);
    MemorySegment readOnly = Bytes.zeros(8).asReadOnly();
    assertThatThrownBy(() -> dma.read(0, readOnly, 0, 8))
        .isInstanceOf(IllegalArgumentException.class);
    machine.invalidate(0, "done");
    assertThat(machine.completed).containsExactly("done");
  }

  // --- interrupts

  @Test
  void oneAlignedDoublewordIntoTheInterruptRangeIsAMessage() {
    MemorySegment data = Bytes.zeros(8);
    data.set(ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN), 4, 0x1234_5678);
    assertThat(dma.write(FakeIommu.INTERRUPTS + 0x10, data, 4, 4)).isNull();
    assertThat(iommu.messages())
        .containsExactly(new FakeIommu.Message(DEVICE, FakeIommu.INTERRUPTS + 0x10, 0x1234_5678));
  }

  @Test
  void nothingElseIntoTheInterruptRangeIs() {
    long range = FakeIommu.INTERRUPTS;
    refusedInterrupt(dma.write(range, Bytes.zeros(8), 0, 8), range, 0);
    refusedInterrupt(dma.write(range + 2, Bytes.zeros(4), 0, 4), range + 2, 0);
    refusedInterrupt(dma.write(range, Bytes.zeros(2), 0, 2), range, 0);
    refusedInterrupt(dma.fill(range, 4, (byte) 0), range, 0);
    iommu.map(range - PAGE, RAM);
    refusedInterrupt(dma.write(range - 4, Bytes.zeros(8), 0, 8), range, 4);
    assertThat(dma.read(range, Bytes.zeros(4), 0, 4))
        .isNotNull()
        .extracting(TargetAbort::reason)
        .isEqualTo(AbortReason.INTERRUPT_RANGE);
    assertThat(iommu.messages()).isEmpty();
  }

  @Test
  void theTailOfALongTransferIsNoMessage() {
    long length = DmaContext.SECTION_BYTES + 4;
    long first = FakeIommu.INTERRUPTS - DmaContext.SECTION_BYTES;
    for (long done = 0; done < DmaContext.SECTION_BYTES; done += PAGE) {
      iommu.map(first + done, RAM + done);
    }
    refusedInterrupt(
        dma.write(first, Bytes.zeros(length), 0, length),
        FakeIommu.INTERRUPTS,
        DmaContext.SECTION_BYTES);
    assertThat(iommu.messages()).isEmpty();
  }

  private static void refusedInterrupt(@Nullable TargetAbort abort, long at, long moved) {
    assertThat(abort)
        .isEqualTo(
            new TargetAbort(
                DEVICE,
                Endpoint.NO_PASID,
                at,
                Access.WRITE,
                AbortReason.INTERRUPT_RANGE,
                TargetAbort.NO_CODE,
                moved));
  }

  // --- scatter-gather

  @Test
  void aListIsOneStretchOfBytes() {
    machine.map(0, 9).map(1, 3).map(5, 7);
    ScatterGatherList list =
        new ScatterGatherList().add(PAGE - 10, 20).add(5 * PAGE, 100).add(0, 5);
    MemorySegment from = Bytes.noise(200, 1);
    MemorySegment into = Bytes.zeros(200);

    assertThat(dma.write(list, 15, from, 50, 110)).isNull();
    assertThat(dma.read(list, 15, into, 50, 110)).isNull();

    assertThat(into.asSlice(50, 110).mismatch(from.asSlice(50, 110))).isEqualTo(-1);
    assertThat(Bytes.at(memory, RAM + 3 * PAGE + 5, 5)).isEqualTo(Bytes.array(from.asSlice(50, 5)));
    assertThat(Bytes.at(memory, RAM + 7 * PAGE, 100)).isEqualTo(Bytes.array(from.asSlice(55, 100)));
    assertThat(Bytes.at(memory, RAM + 9 * PAGE, 5)).isEqualTo(Bytes.array(from.asSlice(155, 5)));
    assertThat(Bytes.at(memory, RAM + 9 * PAGE + 5, 5)).containsOnly(0);
  }

  @Test
  void aListThatIsRefusedSaysHowManyOfItsBytesMoved() {
    machine.map(0, 0);
    ScatterGatherList list = new ScatterGatherList().add(0, 100).add(PAGE - 50, 80);
    TargetAbort abort = dma.fill(list, 20, 160, (byte) 1);
    assertThat(abort).isNotNull();
    assertThat(abort.bytesMoved()).isEqualTo(80 + 50);
    assertThat(abort.iova()).isEqualTo(PAGE);
  }

  @Test
  void aRangeOutsideTheListIsAMistakeOfTheCaller() {
    ScatterGatherList list = new ScatterGatherList().add(0, 100);
    assertThatThrownBy(() -> dma.fill(list, 50, 51, (byte) 0))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThat(dma.fill(list, 100, 0, (byte) 0)).isNull();
  }
}
