package dev.sluice.vm.guest;

import dev.sluice.iommu.RequesterId;
import dev.sluice.vm.guest.dma.DmaMapper;
import dev.sluice.vm.guest.machine.DriverView;
import dev.sluice.vm.guest.machine.Hardware;
import dev.sluice.vm.guest.machine.HardwareException;
import dev.sluice.vm.guest.machine.InterruptController;
import dev.sluice.vm.guest.machine.KernelLog;
import dev.sluice.vm.guest.machine.PageAllocator;
import dev.sluice.vm.guest.machine.Processor;
import dev.sluice.vm.guest.machine.Ram;
import dev.sluice.vm.guest.pci.PciDevice;
import dev.sluice.vm.guest.pci.PciScan;
import dev.sluice.vm.kit.linux.GuestParameters;
import dev.sluice.vm.kit.linux.GuestReport;
import dev.sluice.vm.kit.linux.GuestStage;
import dev.sluice.vm.kit.linux.TestDma;
import dev.sluice.vm.kit.linux.WrittenRange;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A guest that does in this process what the Linux guest's script does in QEMU, with the same
/// parameters and a report of the same form: the same checks by the same names.
///
/// It knows the machine only as [Hardware]. A device that is broken, or does not answer, fails a
/// check; it neither stops the run with an exception nor hangs it. An exception out of [#run] is a
/// defect of a device or of Sluice.
public final class InProcessGuest {
  /// RAM that the guest makes good use of: more only takes longer to make.
  public static final long MOST_RAM_BYTES = 256L << 20;

  /// How long a device may take for any one thing, unless said otherwise.
  public static final Duration PATIENCE = Duration.ofSeconds(10);

  private static final String NAME = "in-process guest";

  /// The first page stays out of use: address 0 means `none` too often.
  private static final long FIRST_PAGE = Ram.PAGE;

  private final Hardware hardware;
  private final Duration patience;
  private final Listener listener;

  /// Told how far the guest is, on the guest's thread.
  public interface Listener {
    /// Says nothing.
    Listener SILENT = new Listener() {};

    /// The guest passed a point; the names are those of [GuestReport#stages].
    default void stage(String name) {}

    /// How much of the disk was read.
    default void progress(long bytes, long total) {}
  }

  /// A guest for a machine that no other guest runs on.
  public InProcessGuest(Hardware hardware) {
    this(hardware, PATIENCE, Listener.SILENT);
  }

  /// A guest with a time limit of its own.
  ///
  /// @param patience how long a device may take for any one thing, such as to complete a command
  public InProcessGuest(Hardware hardware, Duration patience, Listener listener) {
    this.hardware = hardware;
    this.patience = patience;
    this.listener = listener;
  }

  /// Boots, runs the checks that `parameters` ask for, and shuts down.
  ///
  /// @throws IllegalArgumentException if the canary page is not in RAM
  public GuestReport run(GuestParameters parameters) {
    return new Run(parameters).run();
  }

  /// One boot.
  private final class Run {
    private final GuestParameters parameters;
    private final CheckList checks = new CheckList();
    private final List<GuestStage> stages = new ArrayList<>();
    private final KernelLog log = new KernelLog();
    private final DriverView machine;
    private List<WrittenRange> written = List.of();

    Run(GuestParameters parameters) {
      this.parameters = parameters;
      long canary = parameters.testDma().map(TestDma::canary).orElse(0L);
      if (canary > hardware.ramBytes() - TestDma.CANARY_BYTES) {
        throw new IllegalArgumentException(
            "the canary page 0x%x is not in %d bytes of RAM"
                .formatted(canary, hardware.ramBytes()));
      }
      InterruptController interrupts = new InterruptController(log);
      hardware.interruptsTo(interrupts::deliver);
      Ram ram = new Ram(hardware.memory());
      machine =
          new DriverView(
              hardware.bus(),
              ram,
              new PageAllocator(ram, FIRST_PAGE, hardware.ramBytes(), canary),
              new Processor(interrupts, patience),
              log);
    }

    GuestReport run() {
      checks.make("pci", () -> PciScan.run(machine.bus())).ifPresent(this::boot);
      checks.failMissing(parameters.expectedChecks());
      stage("checked");
      return new GuestReport(
          Map.of("kernel", NAME), stages, checks.all(), written, log.lines(), true, List.of());
    }

    private void boot(List<PciDevice> devices) {
      stage("pci");
      if (parameters.iommu() == GuestParameters.Iommu.NONE) {
        if (checks.run("no-iommu", this::noIommu)) {
          checkDevices(devices, null);
        }
        return;
      }
      checks
          .make("dmar-unit", () -> new IommuJob(machine, dmarTable(), parameters.invalidation()))
          .ifPresent(iommu -> {
            checks.run("dmar-unit", iommu::found);
            if (checks.run("queued-invalidation", iommu::queue)
                && checks.make("iommu-group", () -> iommu.enable(devices)).isPresent()) {
              stage("iommu");
              checkDevices(devices, iommu);
            }
          });
    }

    private byte[] dmarTable() throws HardwareException {
      return hardware
          .dmarTable()
          .orElseThrow(() -> new HardwareException("firmware has no DMAR table"));
    }

    private String noIommu() throws HardwareException {
      if (hardware.dmarTable().isPresent()) {
        throw new HardwareException("firmware has a DMAR table, but no IOMMU was asked for");
      }
      return "firmware has no DMAR table";
    }

    private void checkDevices(List<PciDevice> devices, @Nullable IommuJob iommu) {
      RequesterId slot = parameters.disk().slot();
      DmaMapper dma = iommu == null ? DmaMapper.direct() : iommu.mapper(slot);
      Optional<DiskJob> disk =
          checks.make(
              "disk-found",
              () -> new DiskJob(machine, PciScan.find(devices, slot), dma, parameters));
      disk.ifPresent(found -> checkDisk(found, iommu));
      if (iommu != null) {
        parameters.holder().ifPresent(holder -> checkUnmap(devices, holder, iommu, disk));
      }
      checks.run("kernel-log", () -> quietLog(iommu));
      parameters.testDma().ifPresent(dmaTest -> checkTestDevice(devices, dmaTest, iommu));
      if (disk.isPresent() && checks.allPassed()) {
        // Only when it fails is there something to say.
        checks.make("shutdown", disk.get()::shutDown);
      }
    }

    private void checkDisk(DiskJob disk, @Nullable IommuJob iommu) {
      checks.run("disk-found", disk::found);
      stage("disk-found");
      if (iommu != null) {
        checks.run("iommu-group", () -> iommu.group(parameters.disk().slot()));
      }
      long total = parameters.disk().bytes();
      checks.run("disk-read", () -> disk.read(done -> listener.progress(done, total)));
      stage("disk-read");
      if (!parameters.writes().isEmpty()) {
        checks.run("disk-write", disk::write);
        written = disk.written();
        stage("disk-write");
      }
      checks.run("rebind", disk::rebind);
      stage("rebind");
    }

    /// That nothing went wrong that no other check looks at: before the deliberate fault, which is
    /// logged too.
    private String quietLog(@Nullable IommuJob iommu) throws HardwareException {
      machine.processor().takeInterrupts();
      if (!log.warnings().isEmpty()) {
        throw new HardwareException(log.warnings().getFirst());
      }
      if (iommu != null && iommu.unit().hasUnannouncedFault()) {
        throw new HardwareException("the IOMMU has recorded a fault that no interrupt announced");
      }
      return "no warning of the IOMMU or NVMe driver";
    }

    private void checkTestDevice(List<PciDevice> devices, TestDma test, @Nullable IommuJob iommu) {
      DmaJob job = new DmaJob(machine, test, patience);
      if (!checks.run("test-device", () -> job.start(devices))) {
        return;
      }
      stage("test-dma");
      if (iommu == null) {
        checks.run("dma-arrived", job::arrived);
      } else {
        checks.run("dma-blocked", job::blocked);
        checks.run("dma-fault", () -> job.fault(iommu.unit()));
      }
    }

    private void checkUnmap(
        List<PciDevice> devices, RequesterId holder, IommuJob iommu, Optional<DiskJob> disk) {
      checks
          .make(
              "unmap-waits",
              () -> new UnmapJob(machine, PciScan.find(devices, holder), iommu.ownDomain(holder)))
          .ifPresent(job -> {
            checks.run(
                "unmap-waits",
                () -> job.waits(() -> disk.isPresent() ? disk.get().flush() : "no disk was there"));
            checks.run("unmap-revokes", job::revokes);
          });
      stage("unmap");
    }

    private void stage(String name) {
      stages.add(new GuestStage(name, log.uptime()));
      listener.stage(name);
    }
  }
}
