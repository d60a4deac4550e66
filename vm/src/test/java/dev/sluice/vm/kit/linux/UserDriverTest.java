package dev.sluice.vm.kit.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.vm.kit.GuestKernel;
import dev.sluice.vm.kit.GuestKit;
import dev.sluice.vm.kit.QemuInstallation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UserDriverTest {
  @TempDir private Path folder;

  @Test
  void withoutPerlThereIsNone() throws IOException {
    assertThat(obstacle(Optional.empty(), Optional.of(modules("vfio_iommu_type1", "vfio-pci"))))
        .contains("the kit has no perl");
  }

  @Test
  void withoutModulesThereIsNone() throws IOException {
    assertThat(obstacle(Optional.of(folder), Optional.empty()))
        .contains("the kernel's modules were not found");
  }

  @Test
  void aKernelWithoutVfioHasNone() throws IOException {
    assertThat(obstacle(Optional.of(folder), Optional.of(modules("nvme", "vfio-pci"))))
        .contains("the kernel has no VFIO");
  }

  @Test
  void aKernelMayHaveVfioAsModulesOrBuiltIn() throws IOException {
    Path modules = modules("vfio-pci");
    Files.writeString(
        modules.resolve("modules.builtin"), "kernel/drivers/vfio/vfio_iommu_type1.ko\n");

    assertThat(obstacle(Optional.of(folder), Optional.of(modules))).isEmpty();
    assertThat(obstacle(Optional.of(folder), Optional.of(modules("vfio_iommu_type1", "vfio-pci"))))
        .isEmpty();
  }

  private static Optional<String> obstacle(Optional<Path> perl, Optional<Path> modules)
      throws IOException {
    return UserDriver.obstacle(
        new GuestKit(
            new QemuInstallation(List.of("qemu"), "0"),
            new GuestKernel(Path.of("/vmlinuz"), "0", modules),
            Path.of("/busybox"),
            perl));
  }

  private Path modules(String... names) throws IOException {
    Path modules = folder.resolve("modules-" + names.length);
    Path kernel = Files.createDirectories(modules.resolve("kernel"));
    for (String name : names) {
      Files.writeString(kernel.resolve(name + ".ko.xz"), "");
    }
    return modules;
  }
}
