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
import dev.sluice.iommu.Invalidator;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;
import dev.sluice.memory.Bytes;
import dev.sluice.memory.FakePort;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.MessagePort;
import dev.sluice.memory.RamRegion;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Ranges that are not contiguous RAM as one run of bytes: what the copy has, where it goes at the
/// end, and what becomes of what is refused then.
@Timeout(60)
class BounceMappingTest {
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;

  private final DmaMachine machine = new DmaMachine();
  private final DmaContext dma = machine.dma;
  private final GuestMemory memory = machine.memory;
  private final List<TargetAbort> told = new ArrayList<>();

  BounceMappingTest() {
    dma.onRefusedWriteBack(told::add);
  }

  /// Pages 0 to 3 of I/O virtual space, far from one another in RAM.
  private DmaMachine scattered() {
    return machine.map(0, 10).map(1, 30).map(2, 20).map(3, 40);
  }

  private MappedMemory whole(long iova, long length, Access access) {
    return whole(dma, iova, length, access);
  }

  private static MappedMemory whole(DmaContext dma, long iova, long length, Access access) {
    return switch (dma.mapWhole(iova, length, access)) {
      case MappedMemory mapped -> mapped;
      case TargetAbort abort -> throw new AssertionError(abort);
      case NoRoom noRoom -> throw new AssertionError(noRoom);
    };
  }

  private TargetAbort refused(long iova, long length, Access access) {
    TargetAbort abort = (TargetAbort) dma.mapWhole(iova, length, access);
    assertThat(dma.bounceBytes()).isZero();
    assertThat(dma.endpoint().holdCount()).isZero();
    return abort;
  }

  private byte[] ram(long page, long offset, int length) {
    return Bytes.at(memory, RAM + page * PAGE + offset, length);
  }

  private void fillRam(long page, int value) {
    memory.fill(RAM + page * PAGE, PAGE, (byte) value);
  }

  // --- what it is made of

  @Test
  void contiguousRamIsMappedItselfEvenWithoutABudget() {
    machine.map(0, 5).map(1, 6);
    dma.bounceBudget(0);
    try (MappedMemory mapped = whole(10, 2 * PAGE - 10, Access.READ_WRITE)) {
      assertThat(mapped).isInstanceOf(Mapping.class);
      mapped.store(0, 8, LITTLE, 1);
      assertThat(mapped.unmap()).isNull();
      assertThat(mapped.isLive()).isFalse();
    }
  }

  @Test
  void scatteredPagesAreReadAsOneRunOfBytes() {
    scattered();
    MemorySegment noise = Bytes.noise(4 * PAGE, 1);
    assertThat(dma.write(0, noise, 0, 4 * PAGE)).isNull();
    try (MappedMemory mapped = whole(100, 3 * PAGE, Access.READ)) {
      assertThat(mapped.iova()).isEqualTo(100);
      assertThat(mapped.length()).isEqualTo(3 * PAGE);
      assertThat(mapped.access()).isEqualTo(Access.READ);
      assertThat(mapped.isLive()).isTrue();
      assertThat(mapped).hasToString("bounce mapping of 12288 bytes at 0x64 by 00:05.0 for READ");
      MemorySegment into = Bytes.zeros(3 * PAGE);
      mapped.read(0, into, 0, 3 * PAGE);
      assertThat(into.mismatch(noise.asSlice(100, 3 * PAGE))).isEqualTo(-1);
      assertThat(mapped.load(PAGE - 104, 8, LITTLE))
          .isEqualTo(mapped.load(PAGE - 104, 4, LITTLE) | mapped.load(PAGE - 100, 4, LITTLE) << 32);
    }
    assertThat(dma.bounceBytes()).isZero();
  }

  @Test
  void memoryBehindMessagesIsReadOnceAndWrittenOnce() {
    FakePort port = new FakePort(0, 2 * PAGE);
    memory.addMessageOnly(0, 2 * PAGE, true, port);
    machine.iommu.map(0, 0).map(PAGE, PAGE);
    port.bytes().fill((byte) 3);
    MappedMemory mapped = whole(0, PAGE, Access.READ_WRITE);
    assertThat(port.messages()).isEqualTo(1);
    assertThat(mapped.load(8, 1, LITTLE)).isEqualTo(3);
    mapped.store(8, 2, LITTLE, 0x0605);
    assertThat(mapped.load(8, 4, LITTLE)).isEqualTo(0x0303_0605);
    assertThat(port.messages()).isEqualTo(1);
    assertThat(mapped.unmap()).isNull();
    assertThat(port.messages()).isEqualTo(2);
    assertThat(Bytes.array(port.bytes().asSlice(7, 4))).containsExactly(3, 5, 6, 3);
  }

  @Test
  void memoryOfBothKindsIsOneMapping() {
    FakePort port = new FakePort(0, PAGE);
    memory.addMessageOnly(0, PAGE, true, port);
    machine.map(0, 3).map(2, 4);
    machine.iommu.map(PAGE, 0);
    try (MappedMemory mapped = whole(0, 3 * PAGE, Access.WRITE)) {
      mapped.fill(PAGE - 4, PAGE + 8, (byte) 9);
    }
    assertThat(ram(3, PAGE - 5, 5)).containsExactly(0, 9, 9, 9, 9);
    assertThat(Bytes.array(port.bytes())).containsOnly(9);
    assertThat(ram(4, 0, 5)).containsExactly(9, 9, 9, 9, 0);
    assertThat(told).isEmpty();
  }

  @Test
  void withoutAnIommuRegionsAreOneMapping() {
    memory.addRam(RAM + RAM_SIZE, RamRegion.allocate(PAGE));
    try (DmaContext direct = DmaContext.direct(memory, DEVICE)) {
      try (MappedMemory mapped = whole(direct, RAM + RAM_SIZE - 4, 8, Access.READ_WRITE)) {
        assertThat(mapped).isNotInstanceOf(Mapping.class);
        mapped.store(0, 8, LITTLE, 0x0807_0605_0403_0201L);
      }
    }
    assertThat(Bytes.at(memory, RAM + RAM_SIZE - 4, 8)).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 8})
  void wordsAreLoadedAndStoredInBothOrders(int size) {
    scattered();
    long value = 0x8182_8384_8586_8788L;
    long expected = size == 8 ? value : value & ((1L << (8 * size)) - 1);
    try (MappedMemory mapped = whole(0, 2 * PAGE, Access.READ_WRITE)) {
      for (long offset = PAGE - 9; offset < PAGE + 2; offset++) {
        mapped.store(offset, size, LITTLE, value);
        assertThat(mapped.load(offset, size, LITTLE)).isEqualTo(expected);
        assertThat(mapped.load(offset, size, ByteOrder.BIG_ENDIAN))
            .isEqualTo(Long.reverseBytes(expected) >>> (64 - 8 * size));
      }
    }
  }

  @Test
  void theKernelReadsAndWritesIt(@TempDir Path folder) throws IOException {
    scattered();
    Path path = folder.resolve("file");
    Files.write(path, Bytes.array(Bytes.noise(2 * PAGE, 7)));
    try (FileChannel file =
        FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      try (MappedMemory mapped = whole(0, 4 * PAGE, Access.WRITE)) {
        assertThat(mapped.readFrom(file, 0, 50, (int) (3 * PAGE))).isEqualTo((int) (2 * PAGE));
        assertThat(mapped.readFrom(file, 2 * PAGE, 0, 1)).isEqualTo(-1);
      }
      MemorySegment moved = Bytes.zeros(2 * PAGE);
      assertThat(dma.read(50, moved, 0, 2 * PAGE)).isNull();
      assertThat(moved.mismatch(Bytes.noise(2 * PAGE, 7))).isEqualTo(-1);
      try (MappedMemory mapped = whole(50, 2 * PAGE, Access.READ)) {
        assertThat(mapped.writeTo(file, 1, 0, (int) (2 * PAGE))).isEqualTo((int) (2 * PAGE));
      }
    }
    assertThat(Arrays.copyOfRange(Files.readAllBytes(path), 1, (int) (2 * PAGE) + 1))
        .isEqualTo(Bytes.array(Bytes.noise(2 * PAGE, 7)));
  }

  // --- refused when it is made

  @Test
  void aRefusedMappingNamesTheFirstByteAndReportsOneFault() {
    machine.map(0, 10).map(1, 30).map(3, 20);
    for (Access access : Access.values()) {
      assertThat(refused(8, 4 * PAGE - 8, access))
          .isEqualTo(
              new TargetAbort(
                  DEVICE,
                  Endpoint.NO_PASID,
                  2 * PAGE,
                  access,
                  AbortReason.NOT_MAPPED,
                  FakeIommu.CODE_NOT_MAPPED,
                  2 * PAGE - 8));
    }
    assertThat(machine.iommu.reports()).hasSize(3);
  }

  @Test
  void aPageThatMayNotBeWrittenIsRefusedBeforeAnythingIsRead() {
    FakePort port = new FakePort(0, PAGE);
    memory.addMessageOnly(0, PAGE, true, port);
    machine.iommu.map(0, 0);
    machine.map(1, 3, Access.READ);
    TargetAbort abort = refused(0, 2 * PAGE, Access.READ_WRITE);
    assertThat(abort.iova()).isEqualTo(PAGE);
    assertThat(abort.reason()).isEqualTo(AbortReason.NO_WRITE);
    assertThat(port.messages()).isZero();
  }

  @Test
  void whatMessagesCannotReachNowIsRefused() {
    FakePort port = new FakePort(0, PAGE);
    memory.addMessageOnly(0, PAGE, true, port);
    machine.iommu.map(0, 0);
    port.mayWait(false);
    assertThat(refused(0, 8, Access.READ).reason()).isEqualTo(AbortReason.WOULD_BLOCK);
    assertThat(refused(0, 8, Access.WRITE).reason()).isEqualTo(AbortReason.WOULD_BLOCK);
    port.mayWait(true);
    port.answer(MemoryStatus.FAILED);
    assertThat(refused(0, 8, Access.READ).reason()).isEqualTo(AbortReason.MEMORY_FAILED);
  }

  @Test
  void interruptsAndTheEndOfTheAddressSpaceAreRefused() {
    machine.iommu.map(FakeIommu.INTERRUPTS - PAGE, RAM);
    machine.iommu.map(-PAGE, RAM);
    assertThat(refused(FakeIommu.INTERRUPTS, 4, Access.WRITE).reason())
        .isEqualTo(AbortReason.INTERRUPT_RANGE);
    TargetAbort across = refused(FakeIommu.INTERRUPTS - 4, 8, Access.WRITE);
    assertThat(across.iova()).isEqualTo(FakeIommu.INTERRUPTS);
    assertThat(across.reason()).isEqualTo(AbortReason.INTERRUPT_RANGE);
    TargetAbort beyond = refused(-4, 8, Access.READ);
    assertThat(beyond.iova()).isZero();
    assertThat(beyond.reason()).isEqualTo(AbortReason.ADDRESS_WRAP);
    assertThat(machine.iommu.messages()).isEmpty();
  }

  @Test
  void nothingIsMappedWithoutBusMasteringOrALength() {
    scattered();
    dma.busMaster(false);
    assertThat(refused(0, 2 * PAGE, Access.READ).reason()).isEqualTo(AbortReason.BUS_MASTER_OFF);
    assertThatThrownBy(() -> dma.mapWhole(0, 0, Access.READ))
        .isInstanceOf(IllegalArgumentException.class);
  }

  // --- the write-back

  @Test
  void onlyWhatTheDeviceWroteIsWrittenBack() {
    scattered();
    try (MappedMemory mapped = whole(0, 4 * PAGE, Access.READ_WRITE)) {
      mapped.store(PAGE - 2, 4, LITTLE, 0x0403_0201);
      mapped.fill(3 * PAGE, 2, (byte) 8);
      // Meanwhile the guest goes on with the rest of the pages.
      for (long page : new long[] {10, 30, 20, 40}) {
        fillRam(page, 7);
      }
    }
    assertThat(ram(10, PAGE - 4, 4)).containsExactly(7, 7, 1, 2);
    assertThat(ram(30, 0, 4)).containsExactly(3, 4, 7, 7);
    assertThat(ram(20, 0, (int) PAGE)).containsOnly(7);
    assertThat(ram(40, 0, 4)).containsExactly(8, 8, 7, 7);
  }

  @Test
  void aLaterMappingInTheSameBufferLeaksNothingOfTheEarlier() {
    scattered();
    dma.bounceBudget(2 * PAGE);
    try (MappedMemory mapped = whole(0, 2 * PAGE, Access.WRITE)) {
      mapped.fill(0, 2 * PAGE, (byte) 6);
    }
    try (MappedMemory mapped = whole(2 * PAGE, 2 * PAGE, Access.WRITE)) {
      mapped.store(5, 1, LITTLE, 1);
    }
    assertThat(ram(20, 0, 8)).containsExactly(0, 0, 0, 0, 0, 1, 0, 0);
    assertThat(ram(40, 0, (int) PAGE)).containsOnly(0);
  }

  @Test
  void noInvalidationAndNoRemovalWaitsForIt() {
    scattered();
    try (MappedMemory mapped = whole(0, 2 * PAGE, Access.READ_WRITE)) {
      assertThat(dma.endpoint().holdCount()).isZero();
      machine.unmap(0, "first page");
      assertThat(machine.completed).containsExactly("first page");
      memory.remove(RAM, RAM + RAM_SIZE - 1, () -> machine.completed.add("memory"));
      assertThat(machine.completed).containsExactly("first page", "memory");
      mapped.store(0, 8, LITTLE, 5);
      assertThat(mapped.load(0, 8, LITTLE)).isEqualTo(5);
      assertThat(mapped.unmap()).isNotNull();
    }
    assertThat(told).as("it was asked for").isEmpty();
  }

  @Test
  void theTablesOfThatMomentDecideWhereItGoes() {
    scattered();
    MappedMemory mapped = whole(0, 3 * PAGE, Access.WRITE);
    mapped.fill(0, 3 * PAGE, (byte) 4);
    machine.unmap(1, "moved");
    machine.map(1, 50);
    assertThat(mapped.unmap()).isNull();
    assertThat(ram(30, 0, (int) PAGE)).as("the new owner's").containsOnly(0);
    assertThat(ram(50, 0, (int) PAGE)).containsOnly(4);
  }

  @Test
  void aPageThatWasTakenAwayIsRefusedReportedAndNeverWritten() {
    scattered();
    MappedMemory mapped = whole(0, 4 * PAGE, Access.WRITE);
    mapped.store(8, 8, LITTLE, -1);
    mapped.store(PAGE + 16, 8, LITTLE, -1);
    mapped.store(2 * PAGE, 8, LITTLE, -1);
    machine.unmap(1, "gone");
    TargetAbort expected =
        new TargetAbort(
            DEVICE,
            Endpoint.NO_PASID,
            PAGE + 16,
            Access.WRITE,
            AbortReason.NOT_MAPPED,
            FakeIommu.CODE_NOT_MAPPED,
            8);
    assertThat(mapped.unmap()).isEqualTo(expected);
    assertThat(mapped.unmap()).as("asked again").isEqualTo(expected);
    mapped.close();
    assertThat(told).isEmpty();
    assertThat(machine.iommu.reports())
        .singleElement()
        .satisfies(report -> assertThat(report.iova()).isEqualTo(PAGE + 16));
    assertThat(ram(10, 8, 8)).containsOnly(-1);
    assertThat(ram(30, 0, (int) PAGE)).containsOnly(0);
    assertThat(ram(20, 0, (int) PAGE)).as("behind the refused byte").containsOnly(0);
  }

  @Test
  void whatCloseMeetsIsToldToTheContext() {
    scattered();
    MappedMemory closed = whole(0, 2 * PAGE, Access.WRITE);
    assertThatThrownBy(
            () -> {
              try (closed) {
                closed.fill(0, 8, (byte) 1);
                machine.unmap(0, "gone");
                throw new IOException("the device's own");
              }
            })
        .isInstanceOf(IOException.class)
        .hasNoSuppressedExceptions();
    assertThat(told).singleElement().isEqualTo(closed.unmap());
    closed.close();
    assertThat(told).hasSize(1);
  }

  @Test
  void aWriteBackIsNoInterruptMessage() {
    var turning =
        new Iommu() {
          private boolean interrupts;

          @Override
          public Invalidator invalidator() {
            return machine.iommu.invalidator();
          }

          @Override
          public Translation translate(Endpoint endpoint, long iova, Access access) {
            return interrupts
                ? new Translation.Interrupt()
                : machine.iommu.translate(endpoint, iova, access);
          }

          @Override
          public void report(Endpoint by, long iova, Access access, Translation.Fault fault) {
            machine.iommu.report(by, iova, access, fault);
          }

          @Override
          public void interrupt(Endpoint endpoint, long address, int data) {
            machine.iommu.interrupt(endpoint, address, data);
          }
        };
    scattered();
    machine.iommu.caching(false);
    try (DmaContext other = DmaContext.behind(turning, memory, DEVICE)) {
      MappedMemory mapped = whole(other, 0, 2 * PAGE, Access.WRITE);
      mapped.store(16, 4, LITTLE, 1);
      turning.interrupts = true;
      assertThat(mapped.unmap())
          .extracting(TargetAbort::reason)
          .isEqualTo(AbortReason.INTERRUPT_RANGE);
    }
    assertThat(machine.iommu.messages()).isEmpty();
  }

  @Test
  void aMappingForReadingWritesNothingBack() {
    scattered();
    MappedMemory mapped = whole(0, 2 * PAGE, Access.READ);
    machine.unmap(0, "gone");
    assertThat(mapped.unmap()).isNull();
    assertThat(machine.iommu.reports()).isEmpty();
  }

  @Test
  void nothingIsWrittenBackWithoutBusMastering() {
    scattered();
    MappedMemory mapped = whole(0, 2 * PAGE, Access.WRITE);
    mapped.fill(PAGE, 4, (byte) 1);
    dma.busMaster(false);
    assertThat(mapped.isLive()).isTrue();
    assertThat(mapped.unmap())
        .isEqualTo(
            new TargetAbort(
                DEVICE,
                Endpoint.NO_PASID,
                PAGE,
                Access.WRITE,
                AbortReason.BUS_MASTER_OFF,
                TargetAbort.NO_CODE,
                0));
    assertThat(ram(30, 0, 4)).containsOnly(0);
  }

  // --- the end

  @Test
  void usedWronglyOrAfterItsEndItThrows(@TempDir Path folder) throws IOException {
    scattered();
    MemorySegment other = Bytes.zeros(16);
    MappedMemory reading = whole(0, 2 * PAGE, Access.READ);
    assertThatThrownBy(() -> reading.fill(0, 1, (byte) 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> reading.load(2 * PAGE - 7, 8, LITTLE))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> reading.read(0, other, 9, 8))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThat(reading.unmap()).isNull();

    MappedMemory mapped = whole(0, 2 * PAGE, Access.READ_WRITE);
    mapped.close();
    mapped.close();
    assertThat(mapped.isLive()).isFalse();
    try (FileChannel file =
        FileChannel.open(
            folder.resolve("file"),
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      List<ThrowingCallable> uses =
          List.of(
              () -> mapped.read(0, other, 0, 1),
              () -> mapped.write(0, other, 0, 1),
              () -> mapped.fill(0, 1, (byte) 0),
              () -> mapped.load(0, 1, LITTLE),
              () -> mapped.store(0, 1, LITTLE, 0),
              () -> mapped.readFrom(file, 0, 0, 1),
              () -> mapped.writeTo(file, 0, 0, 1));
      for (var use : uses) {
        assertThatThrownBy(use).isInstanceOf(MappingClosedException.class);
      }
    }
  }

  @Test
  void theEndOfTheContextTakesItAwayAndLosesNoError() {
    scattered();
    MappedMemory written = whole(0, 2 * PAGE, Access.WRITE);
    MappedMemory untouched = whole(2 * PAGE, 2 * PAGE, Access.WRITE);
    written.fill(12, 4, (byte) 1);
    dma.close();
    assertThat(dma.bounceBytes()).isZero();
    assertThat(written.isLive()).isFalse();
    assertThatThrownBy(() -> written.fill(0, 1, (byte) 1))
        .isInstanceOf(MappingRevokedException.class)
        .hasMessage("taken away with its context: " + written);
    untouched.close();
    written.close();
    assertThat(told)
        .containsExactly(
            new TargetAbort(
                DEVICE,
                Endpoint.NO_PASID,
                12,
                Access.WRITE,
                AbortReason.BUS_MASTER_OFF,
                TargetAbort.NO_CODE,
                0));
    assertThat(dma.mapWhole(0, 2 * PAGE, Access.READ)).isInstanceOf(TargetAbort.class);
    assertThat(ram(10, 0, 16)).containsOnly(0);
  }

  @Test
  void aBufferIsNobodyElsesWhileTheKernelUsesIt(@TempDir Path folder) throws IOException {
    scattered();
    MappedMemory mapped = whole(0, 2 * PAGE, Access.WRITE);
    Path path = folder.resolve("file");
    Files.write(path, new byte[] {1, 2, 3});
    List<Long> inUse = new ArrayList<>();
    try (FileChannel file =
        new SlowFile(
            FileChannel.open(path),
            () -> {
              mapped.close();
              inUse.add(dma.bounceBytes());
            })) {
      assertThatThrownBy(() -> mapped.readFrom(file, 0, 0, 3))
          .isInstanceOf(MappingClosedException.class);
    }
    assertThat(inUse).containsExactly(2 * PAGE);
    assertThat(dma.bounceBytes()).isZero();
    assertThat(ram(10, 0, 3)).as("read too late").containsOnly(0);
    assertThat(told).isEmpty();
  }

  @Test
  void aSecondThreadNeitherWaitsForTheWriteBackNorIsToldNonsense() throws Exception {
    CountDownLatch writing = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    MessagePort slow =
        new MessagePort() {
          @Override
          public MemoryStatus read(long address, MemorySegment into, long offset, long length) {
            return MemoryStatus.OK;
          }

          @Override
          public MemoryStatus write(long address, MemorySegment from, long offset, long length) {
            writing.countDown();
            try {
              return answer.await(30, TimeUnit.SECONDS) ? MemoryStatus.OK : MemoryStatus.FAILED;
            } catch (InterruptedException e) {
              return MemoryStatus.FAILED;
            }
          }
        };
    memory.addMessageOnly(0, PAGE, true, slow);
    machine.iommu.map(0, 0);
    MappedMemory mapped = whole(0, 16, Access.WRITE);
    mapped.fill(0, 16, (byte) 1);
    try (ExecutorService first = Executors.newSingleThreadExecutor()) {
      Future<?> ending = first.submit(mapped::close);
      writing.await();
      mapped.close();
      assertThat(mapped.isLive()).isFalse();
      assertThatThrownBy(mapped::unmap).isInstanceOf(IllegalStateException.class);
      assertThat(dma.bounceBytes()).as("still being read by the port").isEqualTo(PAGE);
      answer.countDown();
      ending.get();
    }
    assertThat(mapped.unmap()).isNull();
    assertThat(dma.bounceBytes()).isZero();
  }

  @Test
  void noUseOnAnotherThreadMeetsTheBytesOfALaterMapping() throws Exception {
    scattered();
    dma.bounceBudget(2 * PAGE);
    try (ExecutorService other = Executors.newSingleThreadExecutor()) {
      for (int round = 0; round < 200; round++) {
        MappedMemory early = whole(0, 2 * PAGE, Access.WRITE);
        CountDownLatch began = new CountDownLatch(1);
        Future<?> writer =
            other.submit(() -> {
              try {
                for (; ; ) {
                  early.fill(0, 2 * PAGE, (byte) 1);
                  began.countDown();
                }
              } catch (MappingClosedException _) {
                return;
              }
            });
        began.await();
        early.close();
        // While the other is at it, there is no room.
        if (dma.mapWhole(2 * PAGE, 2 * PAGE, Access.READ) instanceof MappedMemory later) {
          MemorySegment seen = Bytes.zeros(2 * PAGE);
          later.read(0, seen, 0, 2 * PAGE);
          assertThat(seen.mismatch(Bytes.zeros(2 * PAGE))).isEqualTo(-1);
          later.close();
        }
        writer.get();
        assertThat(dma.bounceBytes()).isZero();
      }
    }
  }
}
