package dev.sluice.models.vtd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.iommu.Endpoint;
import dev.sluice.models.QuickWalkChecks;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QuickWalkTest {
  private static final int STEPS = 3_000;
  private static final int PAGES = 8;
  private static final long LARGE_PAGE = 1L << 21;
  private static final long SLOTS = PdeCache.SLOTS * LARGE_PAGE;

  @ParameterizedTest
  @CsvSource({"3, false", "4, false", "3, true", "4, true"})
  void theQuickFormOfAWalkSaysWhatTheOtherSays(int levels, boolean cachingMode) {
    SplittableRandom random = new SplittableRandom(levels);
    int answers = 0;
    try (VtdMachine machine = new VtdMachine(VtdConfig.DEFAULT.withCachingMode(cachingMode))) {
      long top = machine.tables.translated(VtdMachine.DEVICE, levels - 2, VtdMachine.DOMAIN);
      machine.enabled();
      Endpoint endpoint = machine.device.endpoint();
      for (int step = 0; step < STEPS; step++) {
        // Regions of which some share a slot of the PDE-cache.
        long region = random.nextInt(2) * SLOTS + random.nextInt(2) * LARGE_PAGE;
        long iova = region + random.nextInt(PAGES) * 4096L + random.nextInt(4096);
        if (random.nextInt(4) == 0) {
          long address = 0x1_0000 + random.nextInt(16) * 4096L;
          machine.tables.map(top, levels, 1, iova & -4096, address, random.nextInt(4));
          machine.write64(VtdMachine.IOTLB, VtdMachine.BIT_63 | 1L << 60);
        } else {
          answers += QuickWalkChecks.assertAgrees(machine.iommu, endpoint, iova);
        }
      }
    }
    assertThat(answers).as("answers of the quick form").isGreaterThan(STEPS / 3);
  }
}
