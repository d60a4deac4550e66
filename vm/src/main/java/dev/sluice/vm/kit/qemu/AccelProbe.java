package dev.sluice.vm.kit.qemu;

import dev.sluice.vm.kit.GuestKit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// Finds out whether KVM works here, by trying: that `/dev/kvm` can be opened says little, since a
/// machine that is itself virtual may have it and fail at some instruction of the guest's kernel.
public final class AccelProbe {
  /// A kernel without an initramfs runs into its panic in about a second under KVM.
  private static final QemuLimits LIMITS =
      new QemuLimits(Duration.ofSeconds(8), Duration.ofSeconds(5));

  private static final Path KVM_DEVICE = Path.of("/dev/kvm");

  /// What was found.
  ///
  /// @param usable whether a guest can run with KVM
  /// @param reason why, or why not
  public record Verdict(boolean usable, String reason) {}

  private AccelProbe() {}

  /// Starts the kit's kernel under KVM without a root file system and sees whether it gets as far
  /// as missing one. Takes at most about eight seconds.
  ///
  /// @throws IOException if QEMU cannot be started at all
  public static Verdict kvm(GuestKit kit) throws IOException, InterruptedException {
    return kvm(kit, KVM_DEVICE);
  }

  static Verdict kvm(GuestKit kit, Path device) throws IOException, InterruptedException {
    if (!Files.exists(device)) {
      return new Verdict(false, "there is no " + device);
    }
    if (!Files.isReadable(device) || !Files.isWritable(device)) {
      return new Verdict(false, device + " may not be opened by this user");
    }
    QemuCommand command =
        QemuCommand.of(kit.qemu())
            .accelerator(Accelerator.KVM)
            .memoryMebibytes(256)
            .kernel(kit.kernel().image())
            .kernelArguments(List.of("console=ttyS0", "panic=-1"))
            .build();
    try (QemuProcess qemu = QemuProcess.start(command, LIMITS, new QemuListener() {})) {
      QemuOutcome outcome = qemu.await();
      if (outcome.kind() == QemuOutcome.Kind.PANICKED) {
        return new Verdict(true, "a kernel ran under KVM");
      }
      String why =
          outcome.errors().stream()
              .filter(line -> line.contains("rror"))
              .findFirst()
              .map(line -> " (" + line + ")")
              .orElse("");
      return new Verdict(false, outcome.sentence() + why);
    }
  }
}
