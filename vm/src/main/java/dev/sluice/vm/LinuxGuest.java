package dev.sluice.vm;

import dev.sluice.vm.check.GuestCheck;
import dev.sluice.vm.kit.GuestKit;
import dev.sluice.vm.kit.linux.GuestInitramfs;
import dev.sluice.vm.kit.linux.GuestParameters;
import dev.sluice.vm.kit.linux.GuestReport;
import dev.sluice.vm.kit.linux.GuestReportReader;
import dev.sluice.vm.kit.linux.GuestStage;
import dev.sluice.vm.kit.qemu.AcpiTableFile;
import dev.sluice.vm.kit.qemu.QemuCommand;
import dev.sluice.vm.kit.qemu.QemuLimits;
import dev.sluice.vm.kit.qemu.QemuListener;
import dev.sluice.vm.kit.qemu.QemuOutcome;
import dev.sluice.vm.kit.qemu.QemuProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// A real Linux in QEMU on a [Machine] that is reached over sockets.
final class LinuxGuest {
  /// How long the firmware may take until it has programmed the BARs: it takes about half a second.
  private static final Duration FIRMWARE = Duration.ofSeconds(30);

  /// How often the guest is started again when its firmware has put the IOMMU elsewhere than last
  /// time.
  private static final int ATTEMPTS = 3;

  private final BootOptions options;
  private final BootListener listener;
  private final GuestKit kit;
  private final Machine machine;
  private final MachineSockets sockets;
  private final RunFolder folder;

  LinuxGuest(
      BootOptions options,
      BootListener listener,
      GuestKit kit,
      Machine machine,
      MachineSockets sockets,
      RunFolder folder) {
    this.options = options;
    this.listener = listener;
    this.kit = kit;
    this.machine = machine;
    this.sockets = sockets;
    this.folder = folder;
  }

  /// Boots it and hears its report.
  GuestReport run(GuestParameters parameters, Stages stages)
      throws BootException, IOException, InterruptedException {
    OptionalLong registers = OptionalLong.empty();
    if (machine.hasIommu()) {
      stages.begin("firmware");
      registers = OptionalLong.of(findRegisters());
    }
    stages.begin("guest");
    Path initrd = initrd(parameters);
    for (int attempt = 1; ; attempt++) {
      Optional<GuestReport> report = boot(parameters, initrd, registers);
      if (report.isPresent()) {
        return report.get();
      }
      registers = sockets.awaitIommuAddress(0, TimeUnit.SECONDS);
      if (attempt == ATTEMPTS) {
        throw new BootException(
            "the firmware put the IOMMU's registers at another address in each of %d starts"
                .formatted(ATTEMPTS),
            "Try again; if it stays so, report it with the version of QEMU: "
                + kit.qemu().version());
      }
    }
  }

  /// Starts the machine without a kernel until its firmware has given the IOMMU an address: the
  /// ACPI table has to name the address before the guest starts, and the firmware gives the same
  /// one each time.
  private long findRegisters() throws BootException, IOException, InterruptedException {
    QemuCommand command = machine().build();
    QemuLimits limits = new QemuLimits(FIRMWARE, FIRMWARE);
    try (QemuProcess qemu = QemuProcess.start(command, limits, new QemuListener() {})) {
      OptionalLong found = OptionalLong.empty();
      while (found.isEmpty() && qemu.isRunning()) {
        found = sockets.awaitIommuAddress(100, TimeUnit.MILLISECONDS);
      }
      if (found.isEmpty()) {
        throw unexpected("while its firmware set up the devices", qemu.await());
      }
      return found.getAsLong();
    } finally {
      sockets.awaitDisconnected();
    }
  }

  /// One start of the guest.
  ///
  /// @return what it reported; empty when the firmware put the IOMMU elsewhere than the table says
  private Optional<GuestReport> boot(
      GuestParameters parameters, Path initrd, OptionalLong registers)
      throws BootException, IOException, InterruptedException {
    QemuCommand.Builder builder =
        machine()
            .kernel(kit.kernel().image())
            .initrd(initrd)
            .kernelArguments(parameters.kernelArguments())
            .kernelArguments(options.append())
            .reportSocket(folder.file("report"));
    if (registers.isPresent()) {
      Path table = folder.file("dmar");
      Files.write(table, machine.dmarTable(registers.getAsLong()));
      builder.acpiTable(new AcpiTableFile("DMAR", 1, "SLUICE", "SLUICEVM", table));
    }
    sockets.forgetIommuAddress();
    GuestReportReader reader = new GuestReportReader(new Progress());
    QemuLimits limits = new QemuLimits(options.patience(), QemuLimits.CHECKS.silence());
    Ears ears = new Ears(reader);
    try (QemuProcess qemu = QemuProcess.start(builder.build(), limits, ears)) {
      ears.process.complete(qemu);
      if (registers.isPresent()) {
        OptionalLong found = OptionalLong.empty();
        while (found.isEmpty() && qemu.isRunning()) {
          found = sockets.awaitIommuAddress(100, TimeUnit.MILLISECONDS);
        }
        if (found.isPresent() && found.getAsLong() != registers.getAsLong()) {
          return Optional.empty();
        }
      }
      QemuOutcome outcome = qemu.await();
      GuestReport report = reader.report();
      if (!endedWell(outcome.kind(), report.finished(), options.interactive())) {
        String when =
            report.finished() ? "after its checks were done" : "before its checks were done";
        throw unexpected(when, outcome);
      }
      return Optional.of(report);
    } finally {
      sockets.awaitDisconnected();
    }
  }

  /// Whether a machine that ended so has nothing to hide: a guest that cannot power off after its
  /// checks, or panics on the way, has found something that they did not. In an interactive boot
  /// the user decides how it ends.
  static boolean endedWell(QemuOutcome.Kind how, boolean checksDone, boolean interactive) {
    return how == QemuOutcome.Kind.POWERED_OFF || (checksDone && interactive);
  }

  private QemuCommand.Builder machine() {
    QemuCommand.Builder builder =
        QemuCommand.of(kit.qemu())
            .accelerator(
                options.accelerator() == BootOptions.Accelerator.KVM
                    ? dev.sluice.vm.kit.qemu.Accelerator.KVM
                    : dev.sluice.vm.kit.qemu.Accelerator.TCG)
            .memoryMebibytes(options.memoryMib())
            .processors(2);
    sockets.sockets().forEach((place, socket) -> builder.vfioUser(socket, place.requester()));
    return builder;
  }

  private Path initrd(GuestParameters parameters) throws IOException, InterruptedException {
    if (options.initrd().isPresent()) {
      return options.initrd().get();
    }
    Path file = folder.file("initrd");
    new GuestInitramfs(kit).write(file, parameters);
    return file;
  }

  /// The console has no place in the message: the listener has heard it.
  private static BootException unexpected(String when, QemuOutcome outcome) {
    String said =
        outcome.errors().isEmpty() ? "" : "; QEMU said: " + String.join(" / ", outcome.errors());
    return new BootException(outcome.sentence() + ", " + when + said, advice(outcome.kind()));
  }

  private static String advice(QemuOutcome.Kind kind) {
    return switch (kind) {
      case PANICKED ->
          "Read the end of its console. If the kernel, the initramfs or words of its command line are yours, try without them.";
      case SILENT, POWERED_OFF, STOPPED -> "Run it again with --verbose to see its console.";
      case DEADLINE ->
          "Give it more time with --timeout, or run it again with --verbose to see its console.";
      case KILLED ->
          "Run it again; if it was the kernel, for want of memory, dmesg says so, and --memory makes the guest smaller.";
      case KVM_FAILED -> "Leave --accel kvm out.";
      case FAILED ->
          "If QEMU is one of this machine's own, try without it: the one from Debian is used when PATH has none.";
    };
  }

  /// Passes the guest's console and report on.
  private final class Ears implements QemuListener {
    private final GuestReportReader reader;
    private final CompletableFuture<QemuProcess> process = new CompletableFuture<>();
    private boolean handedOver;

    Ears(GuestReportReader reader) {
      this.reader = reader;
    }

    @Override
    public void console(byte[] bytes, int count) {
      if (options.interactive()) {
        listener.terminal(bytes, count);
      }
    }

    @Override
    public void consoleLine(String line) {
      listener.console(line);
    }

    @Override
    public void report(byte[] bytes, int count) {
      reader.accept(bytes, count);
      if (options.interactive() && reader.finished() && !handedOver) {
        handedOver = true;
        QemuProcess qemu = process.join();
        qemu.limits(QemuLimits.NONE);
        listener.shell(qemu.consoleInput());
      }
    }
  }

  /// Turns the guest's own stages into progress.
  private final class Progress implements GuestReportReader.Listener {
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
