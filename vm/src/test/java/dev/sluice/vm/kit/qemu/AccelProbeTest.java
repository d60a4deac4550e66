package dev.sluice.vm.kit.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.vm.kit.GuestKernel;
import dev.sluice.vm.kit.GuestKit;
import dev.sluice.vm.kit.QemuInstallation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A file stands in for `/dev/kvm`, a shell script for QEMU.
class AccelProbeTest {
  @TempDir private Path folder;

  @Test
  void aMachineWithoutTheDeviceIsNotTried() throws Exception {
    AccelProbe.Verdict verdict = AccelProbe.kvm(kit("exit 1"), folder.resolve("kvm"));
    assertThat(verdict.usable()).isFalse();
    assertThat(verdict.reason()).contains("there is no");
  }

  @Test
  void aKernelThatGetsAsFarAsMissingItsRootRan() throws Exception {
    assertThat(probe("echo 'Kernel panic - not syncing: VFS: Unable to mount root fs'").usable())
        .isTrue();
  }

  @Test
  void anInstructionThatKvmCannotExecuteIsNamed() throws Exception {
    AccelProbe.Verdict verdict =
        probe(
            "echo 'qemu: warning: x' >&2; echo 'KVM internal error. Suberror: 1' >&2; exec sleep 60");
    assertThat(verdict.usable()).isFalse();
    assertThat(verdict.reason()).contains("KVM internal error. Suberror: 1");
  }

  @Test
  void aQemuThatEndsWithoutRunningTheKernelHasNotRunIt() throws Exception {
    assertThat(probe("exit 0").usable()).isFalse();
    assertThat(probe("echo 'failed to initialize kvm: Error' >&2; exit 1").reason())
        .contains("failed to initialize kvm");
  }

  private AccelProbe.Verdict probe(String script) throws Exception {
    Path device = folder.resolve("kvm");
    Files.writeString(device, "");
    return AccelProbe.kvm(kit(script), device);
  }

  private static GuestKit kit(String script) {
    return new GuestKit(
        new QemuInstallation(List.of("/bin/sh", "-c", script), "0"),
        new GuestKernel(Path.of("/vmlinuz"), "0", Optional.empty()),
        Path.of("/busybox"),
        Optional.empty());
  }
}
