package dev.sluice.vm;

import dev.sluice.vm.kit.BenchmarkTool;
import dev.sluice.vm.kit.GuestKit;
import dev.sluice.vm.kit.GuestKitSource;
import dev.sluice.vm.kit.KitCache;
import dev.sluice.vm.kit.KitException;
import dev.sluice.vm.kit.KitProgress;
import dev.sluice.vm.kit.qemu.AccelProbe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What has to be there before a guest can be started, and what is to be said about how it was come
/// by.
final class Preparation {
  private final BootOptions options;
  private final BootListener listener;
  private final GuestKitSource source;
  private final List<String> notes = new ArrayList<>();

  Preparation(BootOptions options, BootListener listener) {
    this.options = options;
    this.listener = listener;
    source = new GuestKitSource(KitCache.standard()).offline(options.offline());
    options.kernel().ifPresent(source::kernel);
  }

  /// Finds a wrong path before anything is downloaded or started.
  void checkFiles() throws BootException {
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

  /// QEMU, kernel and busybox.
  GuestKit kit() throws IOException, InterruptedException {
    return source.obtain(new Progress());
  }

  /// What measures in the guest.
  BenchmarkTool benchmarkTool() throws IOException, InterruptedException {
    return source.benchmarkTool(new Progress());
  }

  /// The options with an accelerator that works here.
  BootOptions usable(GuestKit kit, Stages stages) throws IOException, InterruptedException {
    if (options.accelerator() == BootOptions.Accelerator.TCG) {
      return options;
    }
    stages.begin("kvm");
    AccelProbe.Verdict verdict = AccelProbe.kvm(kit);
    if (verdict.usable()) {
      return options;
    }
    note("KVM does not run such a guest here (%s), so TCG ran it.".formatted(verdict.reason()));
    return options.with(BootOptions.Accelerator.TCG);
  }

  /// Says something that a user should know, now and in the report.
  void note(String sentence) {
    notes.add(sentence);
    listener.note(sentence);
  }

  List<String> notes() {
    return List.copyOf(notes);
  }

  /// What a user is told of a failure of the host's.
  static BootException failure(IOException e) {
    if (e instanceof KitException kit) {
      return new BootException(String.valueOf(kit.getMessage()), kit.advice(), kit);
    }
    return new BootException(
        "input or output failed: " + e.getMessage(),
        "Check that there is space left in the temporary folder and in the cache.",
        e);
  }

  /// Passes the kit's progress on.
  private final class Progress implements KitProgress {
    @Override
    public void stage(String text) {
      listener.progress(-1, text);
    }

    @Override
    public void progress(double fraction, String detail) {
      listener.progress(fraction, detail);
    }
  }
}
