package dev.sluice.vm.kit.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.sluice.iommu.RequesterId;
import dev.sluice.vm.kit.QemuInstallation;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class QemuCommandTest {
  private static final QemuInstallation QEMU =
      new QemuInstallation(List.of("/q/ld.so", "/q/qemu", "-L", "/q/share"), "11.1.3");

  @Test
  void aGuestBehindVfioUserIsDescribedWhole() {
    QemuCommand command =
        QemuCommand.of(QEMU)
            .memoryMebibytes(1024)
            .kernel(Path.of("/k/vmlinuz"))
            .initrd(Path.of("/r/initrd"))
            .kernelArguments(List.of("console=ttyS0", "panic=-1"))
            .acpiTable(new AcpiTableFile("DMAR", 1, "SLUICE", "SLUICEVM", Path.of("/r/dmar")))
            .vfioUser(posted(Path.of("/r/iommu"), RequesterId.of(0, 4, 0)))
            .vfioUser(posted(Path.of("/r/nvme"), RequesterId.of(0, 5, 0)))
            .reportSocket(Path.of("/r/report"))
            .build();
    assertThat(command.words())
        .startsWith("/q/ld.so", "/q/qemu", "-L", "/q/share", "-nodefaults")
        .containsSequence("-accel", "tcg,thread=multi")
        .containsSequence("-m", "1024M")
        .containsSequence("-object", "memory-backend-memfd,id=mem,size=1024M,share=on")
        .containsSequence("-chardev", "socket,id=report,path=/r/report")
        .containsSequence("-append", "console=ttyS0 panic=-1")
        .containsSequence("-initrd", "/r/initrd")
        .containsSequence(
            "-acpitable", "sig=DMAR,rev=1,oem_id=SLUICE,oem_table_id=SLUICEVM,data=/r/dmar")
        .containsSequence(
            "-device",
            "{\"driver\":\"vfio-user-pci\",\"addr\":\"0x4.0x0\","
                + "\"socket\":{\"type\":\"unix\",\"path\":\"/r/iommu\"}}")
        .containsSubsequence("-serial", "chardev:console", "-serial", "chardev:report");
  }

  @Test
  void writesAreAwaitedWhereThatIsWanted() {
    QemuCommand command =
        QemuCommand.of(QEMU)
            .vfioUser(
                new VfioUserDevice(
                    Path.of("/r/iommu"), RequesterId.of(0, 4, 0), VfioUserDevice.Writes.AWAITED))
            .vfioUser(posted(Path.of("/r/nvme"), RequesterId.of(0, 5, 0)))
            .build();
    assertThat(command.arguments())
        .filteredOn(word -> word.contains("vfio-user-pci"))
        .extracting(word -> word.contains("\"x-no-posted-writes\":true,"))
        .containsExactly(true, false);
  }

  @Test
  void functionsOfOneDeviceMakeItMultifunction() {
    QemuCommand command =
        QemuCommand.of(QEMU)
            .vfioUser(posted(Path.of("/r/a"), RequesterId.of(0, 4, 0)))
            .vfioUser(posted(Path.of("/r/b"), RequesterId.of(0, 4, 1)))
            .vfioUser(posted(Path.of("/r/c"), RequesterId.of(0, 5, 0)))
            .build();
    assertThat(command.arguments())
        .filteredOn(word -> word.contains("vfio-user-pci"))
        .extracting(word -> word.contains("\"multifunction\":true"))
        .containsExactly(true, false, false);
  }

  @Test
  void pathsCannotBreakOutOfTheirOption() {
    QemuCommand command =
        QemuCommand.of(QEMU)
            .reportSocket(Path.of("/r/a,server=on"))
            .vfioUser(posted(Path.of("/r/\"quote\\"), RequesterId.of(0, 4, 0)))
            .build();
    assertThat(command.arguments())
        .contains("socket,id=report,path=/r/a,,server=on")
        .anyMatch(word -> word.contains("\"path\":\"/r/\\\"quote\\\\\""));
  }

  @Test
  void theShellLineCanBePasted() {
    QemuCommand command = QemuCommand.of(QEMU).extra("-append", "it's a $test").build();
    assertThat(command.shellLine()).endsWith("-append 'it'\\''s a $test'");
  }

  @Test
  void whatCannotBeIsRefusedAtOnce() {
    RequesterId slot = RequesterId.of(0, 4, 0);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> posted(Path.of("/" + "s".repeat(107)), slot))
        .withMessageContaining("108 bytes");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> posted(Path.of("/s"), RequesterId.of(1, 0, 0)));
    assertThatIllegalArgumentException().isThrownBy(() -> QemuCommand.of(QEMU).memoryMebibytes(64));
    assertThatIllegalArgumentException().isThrownBy(() -> QemuCommand.of(QEMU).processors(0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new AcpiTableFile("dmar", 1, "A", "B", Path.of("/r")));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new AcpiTableFile("DMAR", 1, "A", "B", Path.of("/r:s")));
  }

  private static VfioUserDevice posted(Path socket, RequesterId slot) {
    return new VfioUserDevice(socket, slot, VfioUserDevice.Writes.POSTED);
  }
}
