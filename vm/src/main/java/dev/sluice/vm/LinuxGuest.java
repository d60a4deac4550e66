package dev.sluice.vm;

import dev.sluice.vm.kit.linux.GuestReport;
import dev.sluice.vm.kit.qemu.AcpiTableFile;
import dev.sluice.vm.kit.qemu.QemuCommand;
import dev.sluice.vm.kit.qemu.QemuLimits;
import dev.sluice.vm.kit.qemu.QemuListener;
import dev.sluice.vm.kit.qemu.QemuProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/// A real Linux in QEMU on [SluiceDevices] that are reached over sockets.
final class LinuxGuest {
  /// How long the firmware may take until it has programmed the BARs: it takes about half a second.
  private static final Duration FIRMWARE = Duration.ofSeconds(30);

  /// How often the guest is started again when its firmware has put the IOMMU elsewhere than last
  /// time.
  private static final int ATTEMPTS = 3;

  private final QemuGuest qemuGuest;
  private final SluiceDevices devices;
  private final DeviceSockets sockets;
  private final RunFolder folder;

  LinuxGuest(QemuGuest qemuGuest, SluiceDevices devices, DeviceSockets sockets, RunFolder folder) {
    this.qemuGuest = qemuGuest;
    this.devices = devices;
    this.sockets = sockets;
    this.folder = folder;
  }

  /// Boots it and hears its report.
  ///
  /// @param stage what to call the guest's own stage
  GuestReport run(GuestTask task, Stages stages, String stage)
      throws BootException, IOException, InterruptedException {
    OptionalLong registers = OptionalLong.empty();
    if (devices.hasIommu()) {
      stages.begin("firmware");
      registers = OptionalLong.of(findRegisters());
    }
    stages.begin(stage);
    for (int attempt = 1; ; attempt++) {
      Optional<GuestReport> report = boot(task, registers);
      if (report.isPresent()) {
        return report.get();
      }
      registers = sockets.awaitIommuAddress(0, TimeUnit.SECONDS);
      if (attempt == ATTEMPTS) {
        throw new BootException(
            "the firmware put the IOMMU's registers at another address in each of %d starts"
                .formatted(ATTEMPTS),
            "Try again; if it stays so, report it with the version of QEMU.");
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
      OptionalLong found = awaitRegisters(qemu);
      if (found.isEmpty()) {
        throw QemuGuest.unexpected("while its firmware set up the devices", qemu.await());
      }
      return found.getAsLong();
    } finally {
      sockets.awaitDisconnected();
    }
  }

  /// One start of the guest.
  ///
  /// @return what it reported; empty when the firmware put the IOMMU elsewhere than the table says
  private Optional<GuestReport> boot(GuestTask task, OptionalLong registers)
      throws BootException, IOException, InterruptedException {
    QemuCommand.Builder builder = machine();
    if (registers.isPresent()) {
      Path table = folder.file("dmar");
      Files.write(table, devices.dmarTable(registers.getAsLong()));
      builder.acpiTable(new AcpiTableFile("DMAR", 1, "SLUICE", "SLUICEVM", table));
    }
    sockets.forgetIommuAddress();
    try {
      return qemuGuest.boot(
          builder, task, qemu -> registers.isEmpty() || isWhereExpected(qemu, registers));
    } finally {
      sockets.awaitDisconnected();
    }
  }

  private boolean isWhereExpected(QemuProcess qemu, OptionalLong registers)
      throws InterruptedException {
    OptionalLong found = awaitRegisters(qemu);
    return found.isEmpty() || found.equals(registers);
  }

  private OptionalLong awaitRegisters(QemuProcess qemu) throws InterruptedException {
    OptionalLong found = OptionalLong.empty();
    while (found.isEmpty() && qemu.isRunning()) {
      found = sockets.awaitIommuAddress(100, TimeUnit.MILLISECONDS);
    }
    return found;
  }

  private QemuCommand.Builder machine() {
    QemuCommand.Builder builder = qemuGuest.machine();
    sockets.sockets().forEach((place, socket) -> builder.vfioUser(place.behind(socket)));
    return builder;
  }
}
