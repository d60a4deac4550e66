package dev.sluice.vm.guest.vtd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.Mapping;
import dev.sluice.dma.TargetAbort;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.Access;
import dev.sluice.memory.Word;
import dev.sluice.models.vtd.VtdConfig;
import dev.sluice.models.vtd.VtdIommu;
import dev.sluice.pci.BarHandler;
import dev.sluice.vm.guest.DriverBench;
import dev.sluice.vm.guest.InProcessMachine;
import dev.sluice.vm.guest.dma.DmaBuffer;
import dev.sluice.vm.guest.dma.DmaDirection;
import dev.sluice.vm.guest.machine.DriverView;
import dev.sluice.vm.guest.machine.HardwareException;
import dev.sluice.vm.guest.machine.Ram;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class VtdUnitTest {
  private static final long REGISTERS = InProcessMachine.IOMMU_REGISTERS;
  private static final RequesterId DEVICE = DriverBench.DISK;
  private static final RequesterId OTHER = DriverBench.TEST_DEVICE;

  private final DriverBench guest = new DriverBench();
  private final Ram ram = guest.machine().ram();

  @AfterEach
  void close() {
    guest.close();
  }

  private VtdIommu plug(VtdConfig config) {
    InProcessMachine platform = guest.platform();
    VtdIommu vtd =
        new VtdIommu(config, platform.memory(), platform::message, Thread::startVirtualThread);
    platform.plugVtd(vtd, DriverBench.dmarTable());
    return vtd;
  }

  private VtdUnit start() throws HardwareException {
    VtdUnit unit = new VtdUnit(guest.machine(), REGISTERS);
    unit.enableQueue();
    unit.setRootTable();
    return unit;
  }

  private DmaContext device(VtdIommu vtd, RequesterId requester) {
    return DmaContext.behind(vtd, guest.platform().memory(), requester);
  }

  private long load(DmaContext device, long iova) {
    Word word = new Word();
    assertThat(device.load(iova, 8, ByteOrder.LITTLE_ENDIAN, word)).isNull();
    return word.asLong();
  }

  private long[] pages(int count) throws HardwareException {
    return guest.machine().pages().allocate(count);
  }

  @ParameterizedTest
  @EnumSource(Flushing.class)
  void aDeviceReachesWhatIsMappedForItWithTheRightsOfTheMapping(Flushing flushing)
      throws Exception {
    VtdIommu vtd = plug(VtdConfig.DEFAULT);
    VtdUnit unit = start();
    VtdDomain domain = unit.attach(DEVICE, flushing);
    unit.enableTranslation();
    long[] pages = pages(3);
    ram.store64(pages[2] + 8, 0x1122_3344_5566_7788L);

    DmaBuffer buffer = domain.map(pages, DmaDirection.TO_DEVICE);

    try (DmaContext device = device(vtd, DEVICE)) {
      assertThat(load(device, buffer.busAddress(2) + 8)).isEqualTo(0x1122_3344_5566_7788L);
      TargetAbort abort = device.store(buffer.busAddress(0), 8, ByteOrder.LITTLE_ENDIAN, 1);
      assertThat(abort).isNotNull();
      assertThat(abort.faultCode()).isEqualTo(5);
    }
  }

  @Test
  void strictUnmappingLeavesNothingThatTheDeviceCanReach() throws Exception {
    VtdIommu vtd = plug(VtdConfig.DEFAULT);
    VtdUnit unit = start();
    VtdDomain domain = unit.attach(DEVICE, Flushing.STRICT);
    unit.enableTranslation();
    DmaBuffer buffer = domain.map(pages(2), DmaDirection.BIDIRECTIONAL);
    try (DmaContext device = device(vtd, DEVICE)) {
      load(device, buffer.busAddress(0));
      load(device, buffer.busAddress(1));

      domain.unmap(buffer);

      assertThat(device.load(buffer.busAddress(0), 8, ByteOrder.LITTLE_ENDIAN, new Word()))
          .isNotNull();
      assertThat(device.load(buffer.busAddress(1), 8, ByteOrder.LITTLE_ENDIAN, new Word()))
          .isNotNull();
    }
    assertThat(vtd.statistics().invalidations().iotlbPage()).isEqualTo(1);
    assertThat(domain.map(pages(2), DmaDirection.TO_DEVICE).busAddress(0))
        .isEqualTo(buffer.busAddress(0));
  }

  @Test
  void strictUnmappingReturnsOnlyWhenTheDeviceHasLetItsMappingGo() throws Exception {
    VtdIommu vtd = plug(VtdConfig.DEFAULT);
    VtdUnit unit = start();
    VtdDomain domain = unit.attach(DEVICE, Flushing.STRICT);
    unit.enableTranslation();
    DmaBuffer buffer = domain.map(pages(1), DmaDirection.BIDIRECTIONAL);
    AtomicBoolean unmapped = new AtomicBoolean();
    AtomicBoolean unmappedBefore = new AtomicBoolean();
    try (DmaContext device = device(vtd, DEVICE)) {
      device.revocation(Revocation.never());
      Mapping held = (Mapping) device.map(buffer.busAddress(0), Ram.PAGE, Access.WRITE);
      CompletableFuture<Void> letsGo =
          CompletableFuture.runAsync(() -> {
            while (!unmapped.get() && vtd.statistics().drains().delayed() == 0) {
              Thread.onSpinWait();
            }
            held.store(0, 8, ByteOrder.LITTLE_ENDIAN, 1);
            unmappedBefore.set(unmapped.get());
            held.close();
          });

      domain.unmap(buffer);

      unmapped.set(true);
      letsGo.join();
    }
    assertThat(unmappedBefore).isFalse();
  }

  @Test
  void lazyUnmappingKeepsAddressesOutOfUseUntilTheDomainIsFlushed() throws Exception {
    VtdIommu vtd = plug(VtdConfig.DEFAULT);
    VtdUnit unit = start();
    VtdDomain domain = unit.attach(DEVICE, Flushing.LAZY);
    unit.enableTranslation();
    DmaBuffer first = domain.map(pages(1), DmaDirection.BIDIRECTIONAL);
    try (DmaContext device = device(vtd, DEVICE)) {
      load(device, first.busAddress(0));
      domain.unmap(first);
      for (int i = 1; i < VtdDomain.FLUSH_QUEUE; i++) {
        DmaBuffer next = domain.map(pages(1), DmaDirection.BIDIRECTIONAL);
        assertThat(next.busAddress(0)).isNotEqualTo(first.busAddress(0));
        domain.unmap(next);
      }

      assertThat(device.load(first.busAddress(0), 8, ByteOrder.LITTLE_ENDIAN, new Word()))
          .isNotNull();
    }
  }

  @Test
  void aFaultIsAnnouncedByItsInterruptWithSourceAddressAndReason() throws Exception {
    VtdIommu vtd = plug(VtdConfig.DEFAULT);
    VtdUnit unit = start();
    unit.attach(DEVICE, Flushing.STRICT);
    unit.enableTranslation();
    try (DmaContext device = device(vtd, DEVICE);
        DmaContext stranger = device(vtd, OTHER)) {
      device.store(0x1234_5678L, 4, ByteOrder.LITTLE_ENDIAN, 1);
      device.load(0x2000, 4, ByteOrder.LITTLE_ENDIAN, new Word());
      stranger.load(0x3000, 4, ByteOrder.LITTLE_ENDIAN, new Word());
    }

    guest.machine().processor().await("three faults", () -> unit.faults().size() == 3);

    assertThat(unit.faults())
        .containsExactly(
            new DmarFault(DEVICE, false, 0x1234_5000L, 5),
            new DmarFault(DEVICE, true, 0x2000, 6),
            new DmarFault(OTHER, true, 0x3000, 2));
    assertThat(unit.hasUnannouncedFault()).isFalse();
    assertThat(guest.machine().log().warnings()).isNotEmpty();
  }

  @Test
  void aDetachedDeviceIsBlockedAndItsMemoryComesBack() throws Exception {
    VtdIommu vtd = plug(VtdConfig.DEFAULT);
    VtdUnit unit = start();
    unit.enableTranslation();
    unit.attach(OTHER, Flushing.STRICT);
    int before = guest.machine().pages().available();
    VtdDomain domain = unit.attach(DEVICE, Flushing.STRICT);
    long[] pages = pages(1);
    DmaBuffer buffer = domain.map(pages, DmaDirection.BIDIRECTIONAL);
    try (DmaContext device = device(vtd, DEVICE)) {
      load(device, buffer.busAddress(0));

      unit.detach(DEVICE);

      TargetAbort abort = device.load(buffer.busAddress(0), 8, ByteOrder.LITTLE_ENDIAN, new Word());
      assertThat(abort).isNotNull();
      assertThat(abort.faultCode()).isEqualTo(2);
    }
    guest.machine().pages().free(pages);
    assertThat(guest.machine().pages().available()).isEqualTo(before);
    assertThat(unit.attach(DEVICE, Flushing.STRICT).id()).isEqualTo(domain.id());
  }

  @Test
  void inCachingModeLazyDomainsBecomeStrictAndNewMappingsAreSeen() throws Exception {
    VtdIommu vtd = plug(VtdConfig.DEFAULT.withCachingMode(true));
    VtdUnit unit = start();
    VtdDomain domain = unit.attach(DEVICE, Flushing.LAZY);
    unit.enableTranslation();
    long[] pages = pages(1);
    try (DmaContext device = device(vtd, DEVICE)) {
      device.load(0xFFFF_F000L, 8, ByteOrder.LITTLE_ENDIAN, new Word());

      DmaBuffer buffer = domain.map(pages, DmaDirection.BIDIRECTIONAL);

      assertThat(buffer.busAddress(0)).isEqualTo(0xFFFF_F000L);
      load(device, buffer.busAddress(0));
    }
    assertThat(domain.flushing()).isEqualTo(Flushing.STRICT);
  }

  @Test
  void theQueueIsGoneThroughManyTimes() throws Exception {
    plug(VtdConfig.DEFAULT);
    VtdUnit unit = start();

    for (int i = 0; i < 1000; i++) {
      unit.submit(Descriptor.contextGlobal());
    }

    assertThat(unit.isTranslating()).isFalse();
  }

  @Test
  void aDescriptorThatTheHardwareRefusesIsNamed() throws Exception {
    plug(VtdConfig.DEFAULT);
    VtdUnit unit = start();

    assertThatThrownBy(() -> unit.submit(new Descriptor(0xF, 0)))
        .isInstanceOf(HardwareException.class)
        .hasMessageContaining("(0xf 0x0): invalid descriptor");
  }

  @Test
  void nothingAtTheAddressIsNoUnit() {
    assertThatThrownBy(() -> new VtdUnit(guest.machine(), REGISTERS))
        .isInstanceOf(HardwareException.class)
        .hasMessage("no remapping hardware answers at 0xfed90000");
  }

  @Test
  void aUnitThatTakesNoCommandFailsInsteadOfHanging() throws Exception {
    VtdIommu vtd =
        new VtdIommu(
            VtdConfig.DEFAULT, guest.platform().memory(), (_, _) -> {}, Thread::startVirtualThread);
    guest.platform().plugIommu(vtd, new DeafRegisters(vtd), DriverBench.dmarTable());
    DriverView impatient = guest.machine(Duration.ofMillis(50));
    VtdUnit unit = new VtdUnit(impatient, REGISTERS);

    assertThatThrownBy(unit::enableQueue)
        .isInstanceOf(HardwareException.class)
        .hasMessage("bit 26 of GSTS did not become 1 within 50 ms");
  }

  @Test
  void theOrderIsThatOfLinux() throws Exception {
    VtdIommu vtd =
        new VtdIommu(
            VtdConfig.DEFAULT, guest.platform().memory(), (_, _) -> {}, Thread::startVirtualThread);
    RecordingRegisters registers = new RecordingRegisters(vtd);
    guest.platform().plugIommu(vtd, registers, DriverBench.dmarTable());

    VtdUnit unit = start();
    unit.attach(DEVICE, Flushing.STRICT);
    unit.enableTranslation();

    assertThat(registers.written)
        .containsExactly(
            "IQT",
            "IQA",
            "GCMD 4000000",
            "IQT",
            "RTADDR",
            "GCMD 44000000",
            "IQT",
            "IQT",
            "FEDATA",
            "FEADDR",
            "FEUADDR",
            "FECTL",
            "FSTS",
            "GCMD 84000000");
  }

  /// Registers that lose every write.
  private record DeafRegisters(VtdIommu vtd) implements BarHandler {
    @Override
    public long read(long offset, int size) {
      return vtd.readRegister(offset, size);
    }

    @Override
    public void write(long offset, int size, long value) {}
  }

  /// Registers that note what is written.
  private static final class RecordingRegisters implements BarHandler {
    private final VtdIommu vtd;
    private final List<String> written = new ArrayList<>();

    RecordingRegisters(VtdIommu vtd) {
      this.vtd = vtd;
    }

    @Override
    public long read(long offset, int size) {
      return vtd.readRegister(offset, size);
    }

    @Override
    public void write(long offset, int size, long value) {
      written.add(
          switch ((int) offset) {
            case 0x18 -> "GCMD " + Long.toHexString(value);
            case 0x20 -> "RTADDR";
            case 0x34 -> "FSTS";
            case 0x38 -> "FECTL";
            case 0x3C -> "FEDATA";
            case 0x40 -> "FEADDR";
            case 0x44 -> "FEUADDR";
            case 0x88 -> "IQT";
            case 0x90 -> "IQA";
            default -> Long.toHexString(offset);
          });
      vtd.writeRegister(offset, size, value);
    }
  }
}
