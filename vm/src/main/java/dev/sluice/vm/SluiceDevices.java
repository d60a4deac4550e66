package dev.sluice.vm;

import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.GuestMemory;
import dev.sluice.models.vtd.InterruptSink;
import dev.sluice.models.vtd.VtdConfig;
import dev.sluice.models.vtd.VtdIommu;
import dev.sluice.models.vtd.VtdStatistics;
import dev.sluice.pci.BarHandler;
import dev.sluice.pci.PciFunction;
import dev.sluice.pci.nvme.FileBackend;
import dev.sluice.pci.nvme.NvmeConfig;
import dev.sluice.pci.nvme.NvmeController;
import dev.sluice.pci.nvme.NvmeStatistics;
import dev.sluice.pci.testdev.TestDevice;
import dev.sluice.vm.guest.VtdRegisterPage;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/// What Sluice gives a machine: devices, and the IOMMU between them and memory. The one place where
/// devices and a model meet.
///
/// It does not know how a guest reaches them: [DeviceSockets] puts them behind sockets, for a guest
/// in QEMU; [dev.sluice.vm.guest.InProcessMachine] puts them on a bus of its own.
final class SluiceDevices implements AutoCloseable {
  /// Bits of a guest-physical address, in the DMAR table and in the VT-d.
  static final int ADDRESS_WIDTH = VtdConfig.DEFAULT.hostAddressWidth();

  /// The VT-d's reason for a write that no second-stage entry permits (VT-d 7.1.3).
  static final int FAULT_NOT_WRITABLE = 0x05;

  /// How long the test device may keep an invalidation waiting. Shorter than for others, since a
  /// boot waits it out once, to see what happens then.
  private static final Revocation TEST_DEVICE_PATIENCE = Revocation.after(Duration.ofSeconds(1));

  private static final String SERIAL = "SLUICE0001";

  private final Map<Place, PciFunction> functions = new EnumMap<>(Place.class);
  private final boolean withIommu;
  private final RegisterFront front;
  private final NvmeController nvme;
  private final ExecutorService queueWorker;
  private volatile @Nullable VtdIommu iommu;

  /// Devices that are not plugged in yet.
  SluiceDevices(boolean withIommu, DiskImage disk) throws BootException {
    this(withIommu, disk, RegisterFront.NONE);
  }

  /// Devices of a machine that a test may break.
  SluiceDevices(boolean withIommu, DiskImage disk, RegisterFront front) throws BootException {
    this.withIommu = withIommu;
    this.front = front;
    nvme = nvme(disk);
    queueWorker =
        Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("sluice-vtd-queue").factory());
    functions.put(Place.NVME, nvme);
    functions.put(Place.TEST_DEVICE, new TestDevice("vm"));
  }

  private static NvmeController nvme(DiskImage disk) throws BootException {
    try {
      return new NvmeController(NvmeConfig.of(SERIAL), FileBackend.open(disk.file(), true));
    } catch (IOException e) {
      throw new BootException(
          "cannot open the disk " + disk.file() + ": " + e.getMessage(),
          "Check that the file is there and that this user may read and write it.",
          e);
    }
  }

  /// Whether an IOMMU stands before the devices.
  boolean hasIommu() {
    return withIommu;
  }

  /// The devices as PCI functions, by their place.
  Map<Place, PciFunction> functions() {
    return Collections.unmodifiableMap(functions);
  }

  /// Makes the IOMMU, if there is to be one, before the devices are plugged in.
  ///
  /// @param memory where the guest's tables and queue are
  /// @param messages how the IOMMU sends its own interrupts
  VtdIommu makeIommu(GuestMemory memory, InterruptSink messages) {
    VtdIommu made = new VtdIommu(VtdConfig.DEFAULT, memory, messages, queueWorker);
    iommu = made;
    return made;
  }

  /// What its guest reaches as the registers of an IOMMU that it made.
  ///
  /// @param memory what the IOMMU was made with
  BarHandler registers(VtdIommu unit, GuestMemory memory) {
    return front.before(new VtdRegisterPage(unit), memory);
  }

  /// The ACPI table that announces the IOMMU.
  ///
  /// @param registers guest-physical address of its register page
  byte[] dmarTable(long registers) {
    return DmarTable.of(
        ADDRESS_WIDTH, registers, functions.keySet().stream().map(Place::requester).toList());
  }

  /// How long a device may keep an invalidation waiting.
  static Revocation patience(Place place) {
    return place == Place.TEST_DEVICE ? TEST_DEVICE_PATIENCE : Revocation.DEFAULT;
  }

  // --- what it did

  Optional<BootReport.IommuSummary> iommuSummary() {
    VtdIommu unit = iommu;
    if (unit == null) {
      return Optional.empty();
    }
    VtdStatistics statistics = unit.statistics();
    long misses = unit.invalidator().endpoints().stream().mapToLong(Endpoint::misses).sum();
    VtdStatistics.Faults faults = statistics.faults();
    var drains = statistics.drains();
    return Optional.of(
        new BootReport.IommuSummary(
            "vtd",
            "legacy",
            misses,
            statistics.walks(),
            faults.recorded() + faults.merged() + faults.lost() + faults.suppressed(),
            byKind(statistics.invalidations()),
            new BootReport.DrainSummary(
                drains.drains(), drains.delayed(), drains.revocations(), drains.longestNanos())));
  }

  private static Map<String, Long> byKind(VtdStatistics.Invalidations counts) {
    Map<String, Long> kinds = new LinkedHashMap<>();
    kinds.put("contextGlobal", counts.contextGlobal());
    kinds.put("contextDomain", counts.contextDomain());
    kinds.put("contextDevice", counts.contextDevice());
    kinds.put("iotlbGlobal", counts.iotlbGlobal());
    kinds.put("iotlbDomain", counts.iotlbDomain());
    kinds.put("iotlbPage", counts.iotlbPage());
    kinds.put("wait", counts.waits());
    return kinds;
  }

  /// Commands that the disk has completed.
  long ioCommands() {
    return nvme.statistics().ioCommands();
  }

  BootReport.DiskSummary diskSummary() {
    NvmeStatistics statistics = nvme.statistics();
    return new BootReport.DiskSummary(statistics.bytesRead(), statistics.bytesWritten());
  }

  /// Ends the devices and what worked for the IOMMU.
  @Override
  public void close() {
    functions.values().forEach(PciFunction::close);
    queueWorker.shutdownNow();
  }
}
