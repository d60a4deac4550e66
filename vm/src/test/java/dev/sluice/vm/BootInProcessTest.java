package dev.sluice.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.vm.BootOptions.Guest;
import dev.sluice.vm.BootOptions.Invalidation;
import dev.sluice.vm.BootOptions.IommuKind;
import dev.sluice.vm.check.GuestCheck;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BootInProcessTest {
  @TempDir Path folder;

  @Test
  void aStrictGuestPassesAndInvalidatesPageByPage() throws Exception {
    BootReport report = boot(IommuKind.VTD, Invalidation.STRICT, Optional.empty());

    assertThat(report.guest().checks()).allMatch(GuestCheck::passed);
    assertThat(report.passed()).isTrue();
    BootReport.IommuSummary iommu = report.iommu().orElseThrow();
    assertThat(iommu.faults()).isEqualTo(1);
    assertThat(iommu.walks()).isPositive();
    assertThat(iommu.iotlbMisses()).isGreaterThanOrEqualTo(iommu.walks());
    assertThat(iommu.invalidations().get("iotlbPage")).isPositive();
    assertThat(iommu.drains().count()).isPositive();
    assertThat(iommu.drains().revocations()).as("that of unmap-revokes").isEqualTo(1);
    assertThat(report.disk().bytesRead()).isGreaterThanOrEqualTo(DiskImage.SCRATCH_BYTES);
    assertThat(report.disk().bytesWritten()).isPositive();
  }

  @Test
  void aLazyGuestPassesWithFewerInvalidations() throws Exception {
    BootReport strict = boot(IommuKind.VTD, Invalidation.STRICT, Optional.empty());
    BootReport lazy = boot(IommuKind.VTD, Invalidation.LAZY, Optional.empty());

    assertThat(lazy.guest().checks()).allMatch(GuestCheck::passed);
    assertThat(lazy.iommu().orElseThrow().invalidations().get("wait"))
        .isPositive()
        .isLessThan(strict.iommu().orElseThrow().invalidations().get("wait"));
  }

  @Test
  void withoutAnIommuTheDeliberateDmaArrives() throws Exception {
    BootReport report = boot(IommuKind.NONE, Invalidation.STRICT, Optional.empty());

    assertThat(report.guest().checks()).allMatch(GuestCheck::passed);
    assertThat(report.guest().checks()).extracting(GuestCheck::name).contains("dma-arrived");
    assertThat(report.iommu()).isEmpty();
  }

  @Test
  void aUsersDiskIsReadAndNotWritten() throws Exception {
    Path disk = folder.resolve("mine");
    byte[] content = new byte[2 << 20];
    for (int i = 0; i < content.length; i++) {
      content[i] = (byte) (i * 31);
    }
    Files.write(disk, content);

    BootReport report = boot(IommuKind.VTD, Invalidation.STRICT, Optional.of(disk));

    assertThat(report.guest().checks()).allMatch(GuestCheck::passed);
    assertThat(report.guest().checks()).extracting(GuestCheck::name).doesNotContain("disk-write");
    assertThat(disk).hasBinaryContent(content);
    assertThat(report.disk().bytesWritten()).isZero();
  }

  @Test
  void nothingIsLeftBehind() throws Exception {
    List<String> before = leftovers();

    boot(IommuKind.VTD, Invalidation.STRICT, Optional.empty());

    assertThat(leftovers()).isEqualTo(before);
    assertThat(Thread.getAllStackTraces().keySet())
        .extracting(Thread::getName)
        .filteredOn(
            name -> !name.equals("sluice-deadlines")) // the process's, once it had a deadline
        .noneMatch(name -> name.startsWith("sluice-") || name.startsWith("nvme-"));
  }

  @Test
  void anInterruptEndsTheGuestAndLeavesNothingBehind() throws Exception {
    List<String> before = leftovers();
    BootListener impatient =
        new BootListener() {
          @Override
          public void progress(double fraction, String detail) {
            Thread.currentThread().interrupt();
          }
        };

    assertThatThrownBy(() ->
            Boot.run(
                options(Guest.IN_PROCESS, IommuKind.VTD, Invalidation.STRICT, Optional.empty()),
                impatient))
        .isInstanceOf(InterruptedException.class);

    assertThat(leftovers()).isEqualTo(before);
  }

  @Test
  void aWrongKernelIsNamedBeforeAnythingStarts() {
    BootOptions d = BootOptions.defaults();
    BootOptions options =
        new BootOptions(
            Guest.QEMU,
            d.iommu(),
            d.invalidation(),
            d.disk(),
            Optional.of(folder.resolve("no-such-kernel")),
            d.initrd(),
            d.append(),
            d.memoryMib(),
            d.accelerator(),
            false,
            true,
            d.patience());

    assertThatThrownBy(() -> Boot.run(options, BootListener.SILENT))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("no-such-kernel");
  }

  private static BootReport boot(IommuKind iommu, Invalidation invalidation, Optional<Path> disk)
      throws Exception {
    return Boot.run(options(Guest.IN_PROCESS, iommu, invalidation, disk), BootListener.SILENT);
  }

  private static BootOptions options(
      Guest guest, IommuKind iommu, Invalidation invalidation, Optional<Path> disk) {
    BootOptions defaults = BootOptions.defaults();
    return new BootOptions(
        guest,
        iommu,
        invalidation,
        disk,
        Optional.empty(),
        Optional.empty(),
        List.of(),
        BootOptions.MIN_MEMORY_MIB,
        defaults.accelerator(),
        false,
        false,
        defaults.patience());
  }

  private static List<String> leftovers() throws Exception {
    try (Stream<Path> all = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return all.map(path -> path.getFileName().toString())
          .filter(name -> name.startsWith(RunFolder.PREFIX))
          .sorted()
          .toList();
    }
  }
}
