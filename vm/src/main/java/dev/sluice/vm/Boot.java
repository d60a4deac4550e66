package dev.sluice.vm;

import dev.sluice.models.vtd.VtdIommu;
import dev.sluice.vm.check.GuestCheck;
import dev.sluice.vm.guest.InProcessGuest;
import dev.sluice.vm.guest.InProcessMachine;
import dev.sluice.vm.kit.GuestKit;
import dev.sluice.vm.kit.KitUnavailableException;
import dev.sluice.vm.kit.linux.GuestInitramfs;
import dev.sluice.vm.kit.linux.GuestParameters;
import dev.sluice.vm.kit.linux.GuestReport;
import dev.sluice.vm.kit.linux.GuestReportReader;
import dev.sluice.vm.kit.linux.GuestStage;
import dev.sluice.vm.kit.linux.UserDriver;
import dev.sluice.vm.kit.qemu.QemuLimits;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/// One boot, from nothing to a report: makes the disk, gets QEMU and a kernel, joins the machine,
/// runs the guest, looks at what it left.
///
/// Interrupting the thread ends the guest and everything that was started; so does the end of the
/// process.
public final class Boot {
  private final BootOptions options;
  private final BootListener listener;
  private final RegisterFront front;
  private final Stages stages;
  private final Preparation preparation;

  private Boot(BootOptions options, BootListener listener, RegisterFront front) {
    this.options = options;
    this.listener = listener;
    this.front = front;
    this.stages = new Stages(listener);
    this.preparation = new Preparation(options, listener);
  }

  /// Boots once.
  ///
  /// @return what happened; [BootReport#passed()] says whether it was good
  /// @throws BootException when it could not be carried out
  public static BootReport run(BootOptions options, BootListener listener)
      throws BootException, InterruptedException {
    return run(options, listener, RegisterFront.NONE);
  }

  /// Boots once, on a machine that a test may break.
  static BootReport run(BootOptions options, BootListener listener, RegisterFront front)
      throws BootException, InterruptedException {
    try {
      return new Boot(options, listener, front).run();
    } catch (IOException e) {
      throw Preparation.failure(e);
    }
  }

  private BootReport run() throws BootException, IOException, InterruptedException {
    preparation.checkFiles();
    if (options.guest() == BootOptions.Guest.IN_PROCESS) {
      return inProcess();
    }
    stages.begin("kit");
    GuestKit kit;
    try {
      kit = preparation.kit();
    } catch (KitUnavailableException e) {
      preparation.note(
          "No QEMU and guest kernel can be had on this machine (%s), so the in-process guest ran instead of Linux."
              .formatted(e.getMessage()));
      return inProcess();
    }
    BootOptions usable = preparation.usable(kit, stages);
    try (RunFolder folder = RunFolder.create()) {
      stages.begin("disk");
      DiskImage disk = disk(folder);
      Job job = Job.of(options, disk, Job.wantsUserDriver(options) && canDrive(kit));
      try (SluiceDevices devices = new SluiceDevices(job.hasIommu(), disk, front);
          DeviceSockets sockets = DeviceSockets.open(devices, folder.path(), _ -> {})) {
        QemuGuest qemu = new QemuGuest(usable, listener, kit, folder);
        LinuxGuest linux = new LinuxGuest(qemu, devices, sockets, folder);
        GuestReport report = linux.run(task(kit, job.parameters(), folder), stages, "guest");
        String kernel = report.kernel().isEmpty() ? kit.kernel().version() : report.kernel();
        return report("linux", kernel, job, report, devices);
      }
    }
  }

  private BootReport inProcess() throws BootException, IOException, InterruptedException {
    try (RunFolder folder = RunFolder.create()) {
      stages.begin("disk");
      DiskImage disk = disk(folder);
      Job job = Job.of(options, disk, true);
      try (SluiceDevices devices = new SluiceDevices(job.hasIommu(), disk, front);
          InProcessMachine machine = inProcessMachine(devices)) {
        stages.begin("guest");
        InProcessGuest guest =
            new InProcessGuest(machine, InProcessGuest.PATIENCE, new InProcessProgress());
        GuestReport report = guest.run(job.parameters());
        if (Thread.interrupted()) {
          throw new InterruptedException("the in-process guest was stopped");
        }
        return report("in-process", report.kernel(), job, report, devices);
      }
    }
  }

  private InProcessMachine inProcessMachine(SluiceDevices devices) {
    InProcessMachine machine =
        new InProcessMachine(
            Math.min((long) options.memoryMib() << 20, InProcessGuest.MOST_RAM_BYTES));
    if (devices.hasIommu()) {
      VtdIommu unit = devices.makeIommu(machine.memory(), machine::message);
      machine.plugIommu(
          unit,
          devices.registers(unit, machine.memory()),
          devices.dmarTable(InProcessMachine.IOMMU_REGISTERS));
    }
    devices
        .functions()
        .forEach((place, device) -> {
          machine.plug(place.requester(), device);
          machine
              .dma(place.requester())
              .ifPresent(dma -> dma.revocation(SluiceDevices.patience(place)));
        });
    return machine;
  }

  /// Turns the in-process guest's own stages into progress.
  private final class InProcessProgress implements InProcessGuest.Listener {
    @Override
    public void stage(String name) {
      listener.progress(-1, name);
    }

    @Override
    public void progress(long bytes, long total) {
      listener.progress((double) bytes / total, "reading the disk");
    }
  }

  private BootReport report(
      String kind, String kernel, Job job, GuestReport report, SluiceDevices devices)
      throws IOException {
    stages.begin("verify");
    BootReport.GuestSummary guest = new BootReport.GuestSummary(kind, kernel, job.judge(report));
    stages.end();
    return new BootReport(
        guest,
        devices.iommuSummary(),
        devices.diskSummary(),
        stages.ended(),
        stages.sinceStart(),
        preparation.notes());
  }

  private DiskImage disk(RunFolder folder) throws BootException {
    return options.disk().isPresent()
        ? DiskImage.open(options.disk().get())
        : DiskImage.create(folder.file("disk"));
  }

  private GuestTask task(GuestKit kit, GuestParameters parameters, RunFolder folder)
      throws IOException, InterruptedException {
    Path initrd = folder.file("initrd");
    if (options.initrd().isPresent()) {
      initrd = options.initrd().get();
    } else {
      new GuestInitramfs(kit).write(initrd, parameters);
    }
    return new GuestTask(
        parameters.kernelArguments(),
        initrd,
        options.patience(),
        QemuLimits.CHECKS.silence(),
        new LinuxProgress());
  }

  /// Whether the guest can have a driver in its user space; a kernel of the user's may lack what
  /// that takes.
  private boolean canDrive(GuestKit kit) throws IOException {
    Optional<String> obstacle = UserDriver.obstacle(kit);
    obstacle.ifPresent(why ->
        preparation.note(
            "No page was taken away from a device that holds it, as %s.".formatted(why)));
    return obstacle.isEmpty();
  }

  /// Turns a Linux guest's own stages into progress.
  private final class LinuxProgress implements GuestReportReader.Listener {
    @Override
    public void stage(GuestStage stage) {
      listener.progress(-1, stage.name());
    }

    @Override
    public void check(GuestCheck check) {
      listener.progress(-1, check.name() + (check.passed() ? " ok" : " FAILED"));
    }

    @Override
    public void progress(long doneBytes, long totalBytes) {
      if (totalBytes > 0) {
        listener.progress(Math.min(1, (double) doneBytes / totalBytes), "reading the disk");
      }
    }
  }
}
