package dev.sluice.vm.guest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.iommu.Revocation;
import dev.sluice.vm.guest.TestBoot.Result;
import dev.sluice.vm.kit.linux.GuestParameters.Invalidation;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The checks of an unmap while a device holds the page: they pass on a whole machine, and each
/// fails on one that is broken for it.
class BrokenDrainTest {
  private static final Revocation SOON = Revocation.after(Duration.ofMillis(500));

  @TempDir private Path folder;

  @ParameterizedTest
  @EnumSource(Invalidation.class)
  void aWholeMachinePasses(Invalidation invalidation) throws Exception {
    Result result = new TestBoot(folder).holder(SOON).invalidation(invalidation).run();

    assertThat(result.failed()).isEmpty();
    assertThat(result.check("unmap-waits").detail())
        .endsWith("meanwhile it wrote 4096 bytes elsewhere and the disk completed a flush");
    assertThat(result.vtd().statistics().drains().revocations()).isOne();
  }

  @Test
  void aDeviceThatIsRefusedThoughItLetsGoFailsWaits() throws Exception {
    Result result = new TestBoot(folder).holder(Revocation.immediately()).run();

    assertThat(result.failed()).containsExactly("unmap-waits");
  }

  @Test
  void aDeviceThatIsNeverRefusedFailsRevokes() throws Exception {
    Result result = new TestBoot(folder).impatient().holder(Revocation.never()).run();

    assertThat(result.failed()).containsExactly("unmap-revokes");
    assertThat(result.check("unmap-revokes").detail())
        .contains("the invalidation queue did not complete its descriptors");
  }
}
