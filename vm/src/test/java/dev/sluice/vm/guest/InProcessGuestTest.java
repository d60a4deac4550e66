package dev.sluice.vm.guest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.vm.check.GuestCheck;
import dev.sluice.vm.guest.TestBoot.Result;
import dev.sluice.vm.kit.linux.GuestParameters.Invalidation;
import dev.sluice.vm.kit.linux.GuestStage;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class InProcessGuestTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @EnumSource(Invalidation.class)
  void everyCheckPassesBehindTheVtd(Invalidation invalidation) throws Exception {
    TestBoot boot = new TestBoot(folder).invalidation(invalidation);

    Result result = boot.run();

    assertThat(result.failed()).as("%s", result.checks()).isEmpty();
    assertThat(result.checks())
        .extracting(GuestCheck::name)
        .containsExactlyInAnyOrderElementsOf(boot.parameters().expectedChecks());
    assertThat(result.written().passed()).as("%s", result.written()).isTrue();
    assertThat(result.report().stages())
        .extracting(GuestStage::name)
        .containsExactly(
            "pci",
            "iommu",
            "disk-found",
            "disk-read",
            "disk-write",
            "rebind",
            "test-dma",
            "checked");
  }
}
