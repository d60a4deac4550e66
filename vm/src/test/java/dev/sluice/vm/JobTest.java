package dev.sluice.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.sluice.vm.check.GuestCheck;
import dev.sluice.vm.kit.linux.GuestReport;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class JobTest {
  private static final DiskImage DISK =
      new DiskImage(Path.of("disk"), DiskImage.SCRATCH_BYTES, "0".repeat(64), true);

  @Test
  void anInitramfsOfTheUsersOwnIsJudgedByItsOwnChecks() throws Exception {
    GuestCheck own = GuestCheck.pass("own", "fine");

    assertThat(jobWithOwnInitramfs().judge(report(true, own))).containsExactly(own);
  }

  @Test
  void anInitramfsOfTheUsersOwnThatReportsNothingHasNotPassed() throws Exception {
    assertThat(jobWithOwnInitramfs().judge(report(false)))
        .extracting(GuestCheck::name, GuestCheck::passed)
        .contains(tuple("checks", false));
    assertThat(jobWithOwnInitramfs().judge(report(true)))
        .extracting(GuestCheck::passed)
        .containsExactly(false);
  }

  @Test
  void theUsualInitramfsOwesEveryCheck() {
    Job job = Job.of(BootOptions.defaults(), DISK, true);

    assertThat(job.expected()).contains("dmar-unit", "disk-read", "disk-write", "dma-fault");
    assertThat(job.parameters().writes()).isNotEmpty();
  }

  private static Job jobWithOwnInitramfs() {
    BootOptions defaults = BootOptions.defaults();
    return Job.of(
        new BootOptions(
            defaults.guest(),
            defaults.iommu(),
            defaults.invalidation(),
            defaults.disk(),
            defaults.kernel(),
            Optional.of(Path.of("initrd")),
            defaults.append(),
            defaults.memoryMib(),
            defaults.accelerator(),
            defaults.interactive(),
            defaults.offline(),
            defaults.patience()),
        DISK,
        true);
  }

  private static GuestReport report(boolean finished, GuestCheck... checks) {
    return new GuestReport(
        Map.of(), List.of(), List.of(checks), List.of(), List.of(), finished, List.of());
  }
}
