package dev.sluice.vm.kit.linux;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.vm.kit.KitException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelModulesTest {
  @TempDir private Path folder;

  @Test
  void whatAModuleDependsOnComesBeforeIt() throws Exception {
    module("nvme", "nvme-core");
    module("nvme-core", "nvme-auth,nvme-keyring");
    module("nvme-auth", "");
    module("nvme-keyring", "");
    assertThat(closure("nvme"))
        .containsExactly("nvme_auth.ko", "nvme_keyring.ko", "nvme_core.ko", "nvme.ko");
  }

  @Test
  void aModuleThatTheKernelHasBuiltInOrDoesNotHaveIsLeftOut() throws Exception {
    module("vfio", "");
    Files.writeString(folder.resolve("modules.builtin"), "kernel/drivers/vfio/vfio.ko\n");
    assertThat(closure("vfio", "iommufd")).isEmpty();
  }

  @Test
  void modulesThatNeedOneAnotherAreRefused() throws IOException {
    module("a", "b");
    module("b", "a");
    assertThatThrownBy(() -> closure("a"))
        .isInstanceOf(KitException.class)
        .hasMessageContaining("[a, b]");
  }

  @Test
  void bytesThatAreNoModuleAreRefusedWhateverTheyAre() throws IOException {
    byte[] good = elf("depends=b\0");
    Path file = Path.of("x.ko");
    Random random = new Random(3);
    for (int i = 0; i < 2000; i++) {
      byte[] bad = Arrays.copyOf(good, 1 + random.nextInt(good.length));
      bad[random.nextInt(bad.length)] = (byte) random.nextInt();
      try {
        assertThat(ModuleInfo.depends(file, bad)).hasSizeLessThan(20);
      } catch (KitException e) {
        assertThat(e).hasMessageContaining("x.ko");
      }
    }
  }

  private List<String> closure(String... names) throws IOException, InterruptedException {
    KernelModules modules = new KernelModules(folder, Files::readAllBytes);
    return List.copyOf(modules.closure(List.of(names)).keySet());
  }

  private void module(String name, String depends) throws IOException {
    Path drivers = Files.createDirectories(folder.resolve("kernel/drivers"));
    Files.write(drivers.resolve(name + ".ko"), elf("license=GPL\0depends=" + depends + "\0"));
  }

  /// An ELF file with two sections: the names at 0x100, `.modinfo` at 0x140; headers at 0x40.
  private static byte[] elf(String modinfo) {
    ByteBuffer elf = ByteBuffer.allocate(0x140 + modinfo.length()).order(ByteOrder.LITTLE_ENDIAN);
    elf.putInt(0, 0x464c457f);
    elf.putLong(0x28, 0x40);
    elf.putShort(0x3a, (short) 0x40);
    elf.putShort(0x3c, (short) 2);
    elf.putShort(0x3e, (short) 0);
    String names = "\0.modinfo\0";
    header(elf, 0x40, 0, 0x100, names.length());
    header(elf, 0x80, 1, 0x140, modinfo.length());
    elf.put(0x100, names.getBytes(US_ASCII));
    elf.put(0x140, modinfo.getBytes(US_ASCII));
    return elf.array();
  }

  private static void header(ByteBuffer elf, int at, int name, long offset, long size) {
    elf.putInt(at, name);
    elf.putLong(at + 0x18, offset);
    elf.putLong(at + 0x20, size);
  }
}
