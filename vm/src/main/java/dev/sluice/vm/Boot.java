package dev.sluice.vm;

import dev.sluice.models.vtd.VtdIommu;
import dev.sluice.vm.guest.InProcessGuest;
import dev.sluice.vm.guest.InProcessPlatform;
import dev.sluice.vm.kit.GuestKit;
import dev.sluice.vm.kit.GuestKitSource;
import dev.sluice.vm.kit.KitCache;
import dev.sluice.vm.kit.KitException;
import dev.sluice.vm.kit.KitProgress;
import dev.sluice.vm.kit.KitUnavailableException;
import dev.sluice.vm.kit.linux.GuestReport;
import dev.sluice.vm.kit.linux.UserDriver;
import dev.sluice.vm.kit.qemu.AccelProbe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
  private final List<String> notes = new ArrayList<>();

  private Boot(BootOptions options, BootListener listener, RegisterFront front) {
    this.options = options;
    this.listener = listener;
    this.front = front;
    this.stages = new Stages(listener);
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
    Boot boot = new Boot(options, listener, front);
    try {
      return boot.run();
    } catch (KitException e) {
      throw new BootException(String.valueOf(e.getMessage()), e.advice(), e);
    } catch (IOException e) {
      throw new BootException(
          "input or output failed: " + e.getMessage(),
          "Check that there is space left in the temporary folder and in the cache.",
          e);
    }
  }

  private BootReport run() throws BootException, IOException, InterruptedException {
    checkFiles();
    if (options.guest() == BootOptions.Guest.IN_PROCESS) {
      return inProcess();
    }
    stages.begin("kit");
    GuestKit kit;
    try {
      kit = kit();
    } catch (KitUnavailableException e) {
      note(
          "No QEMU and guest kernel can be had on this machine (%s), so the in-process guest ran instead of Linux."
              .formatted(e.getMessage()));
      return inProcess();
    }
    BootOptions usable = options.with(accelerator(kit));
    try (RunFolder folder = RunFolder.create()) {
      stages.begin("disk");
      DiskImage disk = disk(folder);
      Job job = Job.of(options, disk, Job.wantsUserDriver(options) && canDrive(kit));
      try (Machine machine = new Machine(job.hasIommu(), disk, front);
          MachineSockets sockets = MachineSockets.open(machine, folder.path(), _ -> {})) {
        LinuxGuest linux = new LinuxGuest(usable, listener, kit, machine, sockets, folder);
        GuestReport report = linux.run(job.parameters(), stages);
        String kernel = report.kernel().isEmpty() ? kit.kernel().version() : report.kernel();
        return report("linux", kernel, job, report, machine);
      }
    }
  }

  private BootReport inProcess() throws BootException, IOException, InterruptedException {
    try (RunFolder folder = RunFolder.create()) {
      stages.begin("disk");
      DiskImage disk = disk(folder);
      Job job = Job.of(options, disk, true);
      try (Machine machine = new Machine(job.hasIommu(), disk, front);
          InProcessPlatform platform = platform(machine)) {
        stages.begin("guest");
        InProcessGuest guest =
            new InProcessGuest(platform, InProcessGuest.PATIENCE, new InProcessProgress());
        GuestReport report = guest.run(job.parameters());
        if (Thread.interrupted()) {
          throw new InterruptedException("the in-process guest was stopped");
        }
        return report("in-process", report.kernel(), job, report, machine);
      }
    }
  }

  private InProcessPlatform platform(Machine machine) {
    InProcessPlatform platform =
        new InProcessPlatform(
            Math.min((long) options.memoryMib() << 20, InProcessGuest.MOST_RAM_BYTES));
    if (machine.hasIommu()) {
      VtdIommu unit = machine.makeIommu(platform.memory(), platform::message);
      platform.plugIommu(
          unit,
          machine.registers(unit, platform.memory()),
          machine.dmarTable(InProcessPlatform.IOMMU_REGISTERS));
    }
    machine
        .devices()
        .forEach((place, device) -> {
          platform.plug(place.requester(), device);
          platform.dma(place.requester()).ifPresent(dma -> dma.revocation(Machine.patience(place)));
        });
    return platform;
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
      String kind, String kernel, Job job, GuestReport report, Machine machine) throws IOException {
    stages.begin("verify");
    BootReport.GuestSummary guest = new BootReport.GuestSummary(kind, kernel, job.judge(report));
    stages.end();
    return new BootReport(
        guest,
        machine.iommuSummary(),
        machine.diskSummary(),
        stages.ended(),
        stages.sinceStart(),
        notes);
  }

  private void note(String sentence) {
    notes.add(sentence);
    listener.note(sentence);
  }

  /// Finds a wrong path before anything is downloaded or started.
  private void checkFiles() throws BootException {
    requireReadable(options.kernel(), "kernel", "--kernel");
    requireReadable(options.initrd(), "initramfs", "--initrd");
    if (options.disk().isPresent()) {
      DiskImage.check(options.disk().get());
    }
  }

  private static void requireReadable(Optional<Path> file, String what, String option)
      throws BootException {
    if (file.isPresent() && !(Files.isRegularFile(file.get()) && Files.isReadable(file.get()))) {
      throw new BootException(
          "there is no %s that can be read at %s".formatted(what, file.get()),
          "Pass another path to %s, or leave it out.".formatted(option));
    }
  }

  private DiskImage disk(RunFolder folder) throws BootException {
    return options.disk().isPresent()
        ? DiskImage.open(options.disk().get())
        : DiskImage.create(folder.file("disk"));
  }

  private GuestKit kit() throws IOException, InterruptedException {
    GuestKitSource source = new GuestKitSource(KitCache.standard()).offline(options.offline());
    options.kernel().ifPresent(source::kernel);
    return source.obtain(
        new KitProgress() {
          @Override
          public void stage(String text) {
            listener.progress(-1, text);
          }

          @Override
          public void progress(double fraction, String detail) {
            listener.progress(fraction, detail);
          }
        });
  }

  /// Whether the guest can have a driver in its user space; a kernel of the user's may lack what
  /// that takes.
  private boolean canDrive(GuestKit kit) throws IOException {
    Optional<String> obstacle = UserDriver.obstacle(kit);
    obstacle.ifPresent(
        why -> note("No page was taken away from a device that holds it, as %s.".formatted(why)));
    return obstacle.isEmpty();
  }

  private BootOptions.Accelerator accelerator(GuestKit kit)
      throws IOException, InterruptedException {
    if (options.accelerator() == BootOptions.Accelerator.TCG) {
      return BootOptions.Accelerator.TCG;
    }
    stages.begin("kvm");
    AccelProbe.Verdict verdict = AccelProbe.kvm(kit);
    if (verdict.usable()) {
      return BootOptions.Accelerator.KVM;
    }
    note("KVM does not run such a guest here (%s), so TCG ran it.".formatted(verdict.reason()));
    return BootOptions.Accelerator.TCG;
  }
}
