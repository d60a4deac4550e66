package dev.sluice.vm;

import dev.sluice.iommu.RequesterId;
import dev.sluice.vm.check.GuestCheck;
import dev.sluice.vm.kit.BenchmarkTool;
import dev.sluice.vm.kit.GuestKit;
import dev.sluice.vm.kit.linux.BenchParameters;
import dev.sluice.vm.kit.linux.GuestInitramfs;
import dev.sluice.vm.kit.linux.GuestParameters;
import dev.sluice.vm.kit.linux.GuestReport;
import dev.sluice.vm.kit.linux.Workload;
import dev.sluice.vm.kit.qemu.QemuCommand;
import dev.sluice.vm.kit.qemu.QemuLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Measures a disk in two guests that differ in nothing else: on QEMU's own NVMe behind QEMU's own
/// `intel-iommu`, and on Sluice's behind Sluice's VT-d.
///
/// Both have the same kernel and initramfs, processors, memory and accelerator, an image of the
/// same size in the same folder through the host's page cache, and the disk in the same slot. They
/// run one after the other. QEMU's devices have their defaults: cache mode writeback, I/O by
/// threads, doorbells by a shadow buffer.
///
/// Interrupting the thread ends the guest and everything that was started; so does the end of the
/// process.
public final class Bench {
  /// Size of the disk: more than processors' caches hold, and made in half a second.
  private static final long DISK_BYTES = 128L << 20;

  /// What a guest's boot and the starts of fio take, beside what is measured.
  private static final Duration OVERHEAD = Duration.ofSeconds(10);

  private final BenchOptions options;
  private final BootListener listener;
  private final Stages stages;
  private final Preparation preparation;
  private final BenchParameters parameters;

  private Bench(BenchOptions options, BootListener listener) {
    this.options = options;
    this.listener = listener;
    stages = new Stages(listener);
    preparation = new Preparation(options.machine(), listener);
    parameters =
        new BenchParameters(
            Job.iommu(options.machine()),
            Job.invalidation(options.machine()),
            Place.NVME.requester(),
            DISK_BYTES,
            Workload.ALL,
            options.warmUp(),
            options.measured());
  }

  /// Measures once.
  ///
  /// @return what was measured; [BenchReport#passed()] says whether that is everything
  /// @throws BootException when it could not be carried out
  public static BenchReport run(BenchOptions options, BootListener listener)
      throws BootException, InterruptedException {
    try {
      return new Bench(options, listener).run();
    } catch (IOException e) {
      throw Preparation.failure(e);
    }
  }

  /// What came of one guest.
  private record Side(GuestReport report, Workbench bench) {}

  private BenchReport run() throws BootException, IOException, InterruptedException {
    preparation.checkFiles();
    stages.begin("kit");
    GuestKit kit = preparation.kit();
    BenchmarkTool tool = preparation.benchmarkTool();
    BootOptions machine = preparation.usable(kit, stages);
    try (RunFolder folder = RunFolder.create()) {
      stages.begin("initramfs");
      Path initrd = folder.file("initrd");
      new GuestInitramfs(kit).write(initrd, parameters, tool);
      QemuGuest guest = new QemuGuest(machine, listener, kit, folder);
      Side qemu = onQemu(guest, initrd, folder);
      Side sluice = onSluice(guest, initrd, folder);
      stages.end();
      return new BenchReport(
          setting(kit, machine, sluice.report()),
          rows(sluice, qemu),
          failures(sluice, qemu),
          stages.ended(),
          stages.sinceStart(),
          preparation.notes());
    }
  }

  private Side onQemu(QemuGuest guest, Path initrd, RunFolder folder)
      throws BootException, IOException, InterruptedException {
    stages.begin("disk");
    DiskImage disk = DiskImage.create(folder.file("qemu-disk"), DISK_BYTES);
    stages.begin("guest on QEMU's devices");
    QemuCommand.Builder builder = guest.machine();
    if (parameters.iommu() != GuestParameters.Iommu.NONE) {
      builder.extra("-device", "intel-iommu,intremap=off");
    }
    RequesterId slot = Place.NVME.requester();
    builder.drive("disk", disk.file());
    builder.extra(
        "-device",
        "nvme,drive=disk,serial=REFERENCE,addr=0x%x.0x%x"
            .formatted(slot.device(), slot.function()));
    Workbench bench = new Workbench(Workload.ALL, listener, () -> null);
    GuestReport report = guest.boot(builder, task(initrd, bench), _ -> true).orElseThrow();
    Files.delete(disk.file());
    return new Side(report, bench);
  }

  private Side onSluice(QemuGuest guest, Path initrd, RunFolder folder)
      throws BootException, IOException, InterruptedException {
    stages.begin("disk");
    DiskImage disk = DiskImage.create(folder.file("disk"), DISK_BYTES);
    try (SluiceDevices devices =
            new SluiceDevices(parameters.iommu() != GuestParameters.Iommu.NONE, disk);
        DeviceSockets sockets = DeviceSockets.open(devices, folder.path(), _ -> {})) {
      Workbench bench =
          new Workbench(Workload.ALL, listener, () -> SluiceWork.soFar(devices, sockets));
      LinuxGuest linux = new LinuxGuest(guest, devices, sockets, folder);
      return new Side(linux.run(task(initrd, bench), stages, "guest on Sluice"), bench);
    }
  }

  private GuestTask task(Path initrd, Workbench bench) {
    Duration each = options.warmUp().plus(options.measured());
    Duration work = each.multipliedBy(Workload.ALL.size()).plus(OVERHEAD);
    return new GuestTask(
        parameters.kernelArguments(),
        initrd,
        options.machine().patience().plus(work),
        QemuLimits.CHECKS.silence().plus(each),
        bench);
  }

  private BenchReport.Setting setting(GuestKit kit, BootOptions machine, GuestReport report) {
    return new BenchReport.Setting(
        report.kernel(),
        kit.qemu().version(),
        report.info().getOrDefault("fio", ""),
        machine.iommu(),
        machine.invalidation(),
        machine.accelerator(),
        machine.memoryMib(),
        QemuGuest.PROCESSORS,
        DISK_BYTES,
        options.warmUp(),
        options.measured());
  }

  private static List<BenchReport.Row> rows(Side sluice, Side qemu) {
    List<BenchReport.Row> rows = new ArrayList<>();
    for (Workload workload : Workload.ALL) {
      rows.add(
          new BenchReport.Row(
              workload.name(),
              workload.blockBytes(),
              workload.depth(),
              sluice.bench().result(workload, sluice.report()),
              qemu.bench().result(workload, qemu.report()),
              sluice.bench().work(workload)));
    }
    return rows;
  }

  private List<GuestCheck> failures(Side sluice, Side qemu) {
    List<GuestCheck> failures = new ArrayList<>();
    failures.addAll(failures("on Sluice: ", sluice));
    failures.addAll(failures("on QEMU's devices: ", qemu));
    return failures;
  }

  private List<GuestCheck> failures(String where, Side side) {
    return side.report().judge(parameters.expectedChecks()).stream()
        .filter(check -> !check.passed())
        .map(check -> GuestCheck.fail(check.name(), where + check.detail()))
        .toList();
  }
}
