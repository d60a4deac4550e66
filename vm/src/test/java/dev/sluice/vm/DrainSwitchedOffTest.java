package dev.sluice.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.vm.BootOptions.Guest;
import dev.sluice.vm.BootOptions.Invalidation;
import dev.sluice.vm.check.GuestCheck;
import dev.sluice.vm.guest.WithoutDrain;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// On a machine that is whole but for the drain, whole boots report the corruption, and nothing
/// else: the checks of the drain are what notices that it is gone.
class DrainSwitchedOffTest {
  @Test
  @Tag("guest")
  void linuxSeesThePageOverwritten() throws Exception {
    assertCorruptionReported("linux", boot(Guest.QEMU, Invalidation.STRICT));
  }

  @Test
  @Tag("guest")
  @Tag("long")
  void aLazyLinuxSeesItToo() throws Exception {
    assertCorruptionReported("linux", boot(Guest.QEMU, Invalidation.LAZY));
  }

  @ParameterizedTest
  @EnumSource(Invalidation.class)
  void theInProcessGuestSeesThePageOverwritten(Invalidation invalidation) throws Exception {
    assertCorruptionReported("in-process", boot(Guest.IN_PROCESS, invalidation));
  }

  private static void assertCorruptionReported(String kind, BootReport report) {
    assertThat(report.guest().kind()).as("%s", report.notes()).isEqualTo(kind);
    assertThat(report.passed()).isFalse();
    assertThat(report.guest().checks())
        .filteredOn(check -> !check.passed())
        .as("%s", report.guest().checks())
        .extracting(GuestCheck::name)
        .containsExactly("unmap-waits", "unmap-revokes");
    assertThat(report.guest().checks())
        .filteredOn(check -> !check.passed())
        .extracting(GuestCheck::detail)
        .allMatch(detail ->
            detail.matches(
                "the unmap returned while the device held the page, and the device then overwrote [1-9][0-9]* bytes of the page's new owner"));
  }

  private static BootReport boot(Guest guest, Invalidation invalidation) throws Exception {
    BootOptions defaults = BootOptions.defaults();
    BootOptions options =
        new BootOptions(
            guest,
            defaults.iommu(),
            invalidation,
            defaults.disk(),
            defaults.kernel(),
            defaults.initrd(),
            defaults.append(),
            defaults.memoryMib(),
            defaults.accelerator(),
            defaults.interactive(),
            defaults.offline(),
            defaults.patience());
    return Boot.run(options, BootListener.SILENT, WithoutDrain::new);
  }
}
