package dev.sluice.vm;

import dev.sluice.vm.kit.GuestKit;
import dev.sluice.vm.kit.linux.GuestReport;
import dev.sluice.vm.kit.linux.GuestReportReader;
import dev.sluice.vm.kit.qemu.QemuCommand;
import dev.sluice.vm.kit.qemu.QemuLimits;
import dev.sluice.vm.kit.qemu.QemuListener;
import dev.sluice.vm.kit.qemu.QemuOutcome;
import dev.sluice.vm.kit.qemu.QemuProcess;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/// One start of a Linux in QEMU, on whatever devices: from its command line to its report.
final class QemuGuest {
  /// Processors of a guest: two, so that one can work while the other waits for a device.
  static final int PROCESSORS = 2;

  private final BootOptions options;
  private final BootListener listener;
  private final GuestKit kit;
  private final RunFolder folder;

  QemuGuest(BootOptions options, BootListener listener, GuestKit kit, RunFolder folder) {
    this.options = options;
    this.listener = listener;
    this.kit = kit;
    this.folder = folder;
  }

  /// Looks at a QEMU that has just been started.
  @FunctionalInterface
  interface Inspection {
    /// Whether it may go on.
    boolean passes(QemuProcess qemu) throws InterruptedException;
  }

  /// The machine without any device.
  QemuCommand.Builder machine() {
    return QemuCommand.of(kit.qemu())
        .accelerator(
            options.accelerator() == BootOptions.Accelerator.KVM
                ? dev.sluice.vm.kit.qemu.Accelerator.KVM
                : dev.sluice.vm.kit.qemu.Accelerator.TCG)
        .memoryMebibytes(options.memoryMib())
        .processors(PROCESSORS);
  }

  /// Starts the guest and hears its report.
  ///
  /// @param machine with its devices
  /// @return what it reported; empty when it did not pass the inspection
  Optional<GuestReport> boot(QemuCommand.Builder machine, GuestTask task, Inspection inspection)
      throws BootException, IOException, InterruptedException {
    QemuCommand command =
        machine
            .kernel(kit.kernel().image())
            .initrd(task.initrd())
            .kernelArguments(task.kernelArguments())
            .kernelArguments(options.append())
            .reportSocket(folder.file("report"))
            .build();
    GuestReportReader reader = new GuestReportReader(task.listener());
    Ears ears = new Ears(reader);
    QemuLimits limits = new QemuLimits(task.patience(), task.silence());
    try (QemuProcess qemu = QemuProcess.start(command, limits, ears)) {
      ears.process.complete(qemu);
      if (!inspection.passes(qemu)) {
        return Optional.empty();
      }
      QemuOutcome outcome = qemu.await();
      GuestReport report = reader.report();
      if (!endedWell(outcome.kind(), report.finished(), options.interactive())) {
        String when =
            report.finished() ? "after its checks were done" : "before its checks were done";
        throw unexpected(when, outcome);
      }
      return Optional.of(report);
    }
  }

  /// Whether a machine that ended so has nothing to hide: a guest that cannot power off after its
  /// checks, or panics on the way, has found something that they did not. In an interactive boot
  /// the user decides how it ends.
  static boolean endedWell(QemuOutcome.Kind how, boolean checksDone, boolean interactive) {
    return how == QemuOutcome.Kind.POWERED_OFF || (checksDone && interactive);
  }

  /// The console has no place in the message: the listener has heard it.
  static BootException unexpected(String when, QemuOutcome outcome) {
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
}
