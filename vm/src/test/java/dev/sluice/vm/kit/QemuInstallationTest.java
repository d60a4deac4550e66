package dev.sluice.vm.kit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QemuInstallationTest {
  private static final String DEVICES = "name \"vfio-user-pci\", bus PCI";

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "QEMU emulator version 11.1.3 (Debian 1:11.1.3+ds-1~bpo13+1), 11.1.3",
    "QEMU emulator version 10.1.0, 10.1.0",
    "QEMU emulator version 10.2, 10.2",
    "QEMU emulator version 10.0.13 (Debian 1:10.0.13+ds-0+deb13u1), ",
    "QEMU emulator version 7.2.17 (Debian 1:7.2+dfsg-7+deb12u13), ",
    "something else, ",
  })
  void onlyVersionsWithAVfioUserClientAreRecentEnough(String line, String version) {
    assertThat(QemuInstallation.recentVersion(line).orElse(null)).isEqualTo(version);
  }

  @Test
  void theProgramOnThePathIsTakenWhenItIsRecentAndHasTheDevice() throws Exception {
    qemu("QEMU emulator version 10.1.2", DEVICES);
    assertThat(QemuInstallation.onPath("/nowhere:" + folder))
        .contains(
            new QemuInstallation(
                List.of(folder.resolve("qemu-system-x86_64").toString()), "10.1.2"));
  }

  @Test
  void aProgramWithoutTheDeviceIsNotTaken() throws Exception {
    qemu("QEMU emulator version 10.1.2", "name \"nvme\", bus PCI");
    assertThat(QemuInstallation.onPath(folder.toString())).isEmpty();
  }

  @Test
  void aProgramThatDoesNotRunIsNotTaken() throws Exception {
    Path program = folder.resolve("qemu-system-x86_64");
    Files.writeString(program, "#!/bin/sh\nexit 127\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    assertThat(QemuInstallation.onPath(folder.toString())).isEmpty();
  }

  @Test
  void anEmptyPathHasNone() throws Exception {
    assertThat(QemuInstallation.onPath("")).isEmpty();
  }

  private void qemu(String version, String devices) throws IOException {
    Path program = folder.resolve("qemu-system-x86_64");
    Files.writeString(
        program,
        """
        #!/bin/sh
        case $1 in
          --version) echo '%s' ;;
          -device) echo '%s' ;;
        esac
        """
            .formatted(version, devices));
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
