package dev.sluice.vm.guest;

import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.Revocation;
import dev.sluice.models.vtd.VtdConfig;
import dev.sluice.models.vtd.VtdIommu;
import dev.sluice.pci.BarHandler;
import dev.sluice.pci.PciFunction;
import dev.sluice.pci.nvme.BlockBackend;
import dev.sluice.pci.nvme.FileBackend;
import dev.sluice.pci.nvme.NvmeConfig;
import dev.sluice.pci.nvme.NvmeController;
import dev.sluice.pci.testdev.TestDevice;
import dev.sluice.vm.check.GuestCheck;
import dev.sluice.vm.guest.machine.Hardware;
import dev.sluice.vm.kit.linux.DiskWrite;
import dev.sluice.vm.kit.linux.GuestParameters;
import dev.sluice.vm.kit.linux.GuestReport;
import dev.sluice.vm.kit.linux.TestDma;
import dev.sluice.vm.kit.linux.WrittenData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;

/// One boot of the in-process guest on a machine with a disk of 8 MiB, any part of which a test can
/// replace by a broken one.
final class TestBoot {
  static final int DISK_BYTES = 8 << 20;
  static final long CANARY = 0x20_0000;

  private final Path file;
  private final String sha256;
  private boolean plugIommu = true;
  private byte[] dmarTable = DriverBench.dmarTable();
  private VtdConfig config = VtdConfig.DEFAULT;
  private GuestParameters.Iommu iommu = GuestParameters.Iommu.VTD;
  private GuestParameters.Invalidation invalidation = GuestParameters.Invalidation.STRICT;
  private Optional<Revocation> revocation = Optional.empty();
  private Duration patience = Duration.ofSeconds(20);
  private UnaryOperator<BlockBackend> backend = UnaryOperator.identity();
  private UnaryOperator<Iommu> model = UnaryOperator.identity();
  private UnaryOperator<BarHandler> registers = UnaryOperator.identity();
  private UnaryOperator<PciFunction> controller = UnaryOperator.identity();
  private UnaryOperator<Hardware> hardware = UnaryOperator.identity();

  /// @param folder where the disk's file is made
  TestBoot(Path folder) throws IOException {
    file = folder.resolve("disk");
    byte[] content = new byte[DISK_BYTES];
    new SplittableRandom(1).nextBytes(content);
    Files.write(file, content);
    sha256 = DiskContents.sha256(content);
  }

  TestBoot asked(GuestParameters.Iommu kind) {
    iommu = kind;
    return this;
  }

  TestBoot withoutIommu() {
    plugIommu = false;
    return asked(GuestParameters.Iommu.NONE);
  }

  TestBoot invalidation(GuestParameters.Invalidation kind) {
    invalidation = kind;
    return this;
  }

  TestBoot config(VtdConfig knobs) {
    config = knobs;
    return this;
  }

  /// Adds a test device that holds a page while the guest takes it away.
  ///
  /// @param policy how long it may
  TestBoot holder(Revocation policy) {
    revocation = Optional.of(policy);
    return this;
  }

  TestBoot dmarTable(byte[] table) {
    dmarTable = table;
    return this;
  }

  /// For tests of devices that never answer: still long for one that does.
  TestBoot impatient() {
    patience = Duration.ofSeconds(1);
    return this;
  }

  TestBoot backend(UnaryOperator<BlockBackend> breaker) {
    backend = breaker;
    return this;
  }

  TestBoot model(UnaryOperator<Iommu> breaker) {
    model = breaker;
    return this;
  }

  TestBoot registers(UnaryOperator<BarHandler> breaker) {
    registers = breaker;
    return this;
  }

  TestBoot controller(UnaryOperator<PciFunction> breaker) {
    controller = breaker;
    return this;
  }

  TestBoot hardware(UnaryOperator<Hardware> breaker) {
    hardware = breaker;
    return this;
  }

  /// What the guest is asked to do.
  GuestParameters parameters() {
    return new GuestParameters(
        iommu,
        invalidation,
        new GuestParameters.Disk(DriverBench.DISK, DISK_BYTES, sha256),
        DiskWrite.plan(DISK_BYTES / 2, DISK_BYTES / 2),
        Optional.of(
            new TestDma(
                DriverBench.TEST_DEVICE,
                CANARY,
                TestDma.Access.WRITE,
                0x05,
                OneShotDma.steps(CANARY))),
        revocation.map(_ -> DriverBench.HOLDER),
        false);
  }

  /// Boots; the checks are the guest's and the host's own of the disk's file, as in a real boot.
  Result run() throws IOException {
    NvmeController nvme =
        new NvmeController(
            new NvmeConfig("TEST0001", 4, 2), backend.apply(FileBackend.open(file, true)));
    OneShotDma testDevice = new OneShotDma();
    TestDevice holder = new TestDevice("boot");
    GuestParameters parameters = parameters();
    try (nvme;
        testDevice;
        holder;
        InProcessMachine platform = new InProcessMachine(DriverBench.RAM_BYTES)) {
      VtdIommu vtd =
          new VtdIommu(config, platform.memory(), platform::message, Thread::startVirtualThread);
      if (plugIommu) {
        platform.plugIommu(model.apply(vtd), registers.apply(new VtdRegisterPage(vtd)), dmarTable);
      }
      platform.plug(DriverBench.DISK, controller.apply(nvme));
      platform.plug(DriverBench.TEST_DEVICE, testDevice);
      revocation.ifPresent(policy -> {
        platform.plug(DriverBench.HOLDER, holder);
        platform.dma(DriverBench.HOLDER).orElseThrow().revocation(policy);
      });
      InProcessGuest guest =
          new InProcessGuest(hardware.apply(platform), patience, InProcessGuest.Listener.SILENT);
      GuestReport report = guest.run(parameters);
      GuestCheck written = WrittenData.check(file, parameters.writes(), report.written());
      return new Result(report, report.judge(parameters.expectedChecks()), written, vtd);
    }
  }

  /// @param report the guest's
  /// @param checks the guest's, with those it left out
  /// @param written the host's look at the file
  /// @param vtd what was in front of the devices, if anything
  record Result(GuestReport report, List<GuestCheck> checks, GuestCheck written, VtdIommu vtd) {
    List<String> failed() {
      return checks.stream().filter(check -> !check.passed()).map(GuestCheck::name).toList();
    }

    /// What a check said.
    GuestCheck check(String name) {
      return checks.stream().filter(check -> check.name().equals(name)).findFirst().orElseThrow();
    }
  }
}
