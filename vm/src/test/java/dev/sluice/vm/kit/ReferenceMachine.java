package dev.sluice.vm.kit;

import dev.sluice.iommu.RequesterId;
import dev.sluice.vm.check.GuestCheck;
import dev.sluice.vm.kit.linux.DiskWrite;
import dev.sluice.vm.kit.linux.GuestInitramfs;
import dev.sluice.vm.kit.linux.GuestParameters;
import dev.sluice.vm.kit.linux.GuestReport;
import dev.sluice.vm.kit.linux.GuestReportReader;
import dev.sluice.vm.kit.linux.RegisterStep;
import dev.sluice.vm.kit.linux.TestDma;
import dev.sluice.vm.kit.linux.WrittenData;
import dev.sluice.vm.kit.qemu.QemuCommand;
import dev.sluice.vm.kit.qemu.QemuLimits;
import dev.sluice.vm.kit.qemu.QemuListener;
import dev.sluice.vm.kit.qemu.QemuOutcome;
import dev.sluice.vm.kit.qemu.QemuProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/// A guest on devices that are QEMU's own: `intel-iommu`, `nvme`, and `edu` as the test device. The
/// fields are what a test may break before [#boot].
final class ReferenceMachine {
  private static final int DISK_BYTES = 16 << 20;
  private static final long CANARY = 0x1000_0000L;
  private static final RequesterId DISK = RequesterId.of(0, 5, 0);
  private static final RequesterId EDU = RequesterId.of(0, 6, 0);

  GuestParameters.Iommu iommu = GuestParameters.Iommu.VTD;
  GuestParameters.Invalidation invalidation = GuestParameters.Invalidation.STRICT;
  boolean withQemuIommu = true;
  boolean withTestDevice = true;
  boolean flipOneByte;
  int missingSectors;
  Backing backing = Backing.FILE;
  String kernelArgument = "";
  QemuLimits limits = QemuLimits.CHECKS;

  /// What lies behind the disk.
  enum Backing {
    /// The file that the host looks at afterwards.
    FILE,
    /// The file, but every write fails.
    WRITES_FAIL,
    /// A copy that vanishes, so that no write reaches the file.
    WRITES_ARE_LOST
  }

  private final Path run;

  /// @param run an empty folder
  ReferenceMachine(Path run) {
    this.run = run;
  }

  /// What came of a boot.
  record Result(
      QemuOutcome outcome, GuestReport report, Set<String> expected, GuestCheck writtenData) {
    List<String> failures() {
      List<String> names =
          new ArrayList<>(
              report.judge(expected).stream()
                  .filter(check -> !check.passed())
                  .map(GuestCheck::name)
                  .toList());
      if (!writtenData.passed()) {
        names.add(writtenData.name());
      }
      return names;
    }

    String description() {
      return outcome.description() + "\n" + report.judge(expected) + "\n" + writtenData;
    }
  }

  Result boot() throws Exception {
    GuestKit kit = new GuestKitSource(KitCache.standard()).obtain(KitProgress.SILENT);
    byte[] contents = new byte[DISK_BYTES];
    new Random(1).nextBytes(contents);
    String sha256 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(contents));
    if (flipOneByte) {
      contents[DISK_BYTES - 1] ^= 1;
    }
    Path disk = run.resolve("disk");
    Files.write(disk, Arrays.copyOf(contents, DISK_BYTES - 512 * missingSectors));
    GuestParameters parameters =
        new GuestParameters(
            iommu,
            invalidation,
            new GuestParameters.Disk(DISK, DISK_BYTES, sha256),
            DiskWrite.plan(4 << 20, 8 << 20),
            Optional.of(eduDma()),
            Optional.empty(),
            false);
    Path initrd = run.resolve("initrd");
    new GuestInitramfs(kit).write(initrd, parameters);
    QemuCommand.Builder builder =
        QemuCommand.of(kit.qemu())
            .kernel(kit.kernel().image())
            .initrd(initrd)
            .kernelArguments(parameters.kernelArguments())
            .kernelArguments(List.of(kernelArgument))
            .reportSocket(run.resolve("report"))
            .extra("-drive", drive(disk))
            .extra("-device", "nvme,drive=disk,serial=reference,addr=5");
    if (withTestDevice) {
      // The device's own limit on addresses is 28 bits, which would hide those above it.
      builder.extra("-device", "edu,dma_mask=0xffffffff,addr=6");
    }
    if (withQemuIommu) {
      builder.extra("-device", "intel-iommu,intremap=off");
    }
    GuestReportReader reader = new GuestReportReader();
    QemuListener listener =
        new QemuListener() {
          @Override
          public void report(byte[] bytes, int count) {
            reader.accept(bytes, count);
          }
        };
    try (QemuProcess qemu = QemuProcess.start(builder.build(), limits, listener)) {
      QemuOutcome outcome = qemu.await();
      GuestReport report = reader.report();
      return new Result(
          outcome,
          report,
          parameters.expectedChecks(),
          WrittenData.check(disk, parameters.writes(), report.written()));
    }
  }

  private String drive(Path disk) {
    String options = "if=none,id=disk,format=raw,";
    return switch (backing) {
      case FILE -> options + "file=" + disk;
      case WRITES_ARE_LOST -> options + "snapshot=on,file=" + disk;
      case WRITES_FAIL ->
          options
              + "file.driver=blkdebug,file.image.driver=file,file.image.filename="
              + disk
              + ",file.inject-error.0.event=none,file.inject-error.0.iotype=write";
    };
  }

  /// Copies 64 bytes of the device's buffer to the canary (QEMU documentation, `specs/edu`): source
  /// in 0x80, destination in 0x88, count in 0x90; in 0x98 bit 0 starts and bit 1 says towards
  /// memory, and bit 0 stays set until the DMA has ended.
  private static TestDma eduDma() {
    return new TestDma(
        EDU,
        CANARY,
        TestDma.Access.WRITE,
        0x05,
        List.of(
            new RegisterStep.Write(64, 0x80, 0x40000),
            new RegisterStep.Write(64, 0x88, CANARY),
            new RegisterStep.Write(64, 0x90, 64),
            new RegisterStep.Write(32, 0x98, 3),
            new RegisterStep.Poll(32, 0x98, 1, 0, Duration.ofSeconds(5))));
  }
}
