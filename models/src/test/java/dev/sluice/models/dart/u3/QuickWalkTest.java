package dev.sluice.models.dart.u3;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.iommu.Endpoint;
import dev.sluice.models.QuickWalkChecks;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class QuickWalkTest {
  private static final int STEPS = 3_000;
  private static final int PAGES = 32;

  @ParameterizedTest
  @EnumSource
  void theQuickFormOfAWalkSaysWhatTheOtherSays(Bridge bridge) {
    SplittableRandom random = new SplittableRandom(1);
    U3DartConfig config = bridge == Bridge.U3 ? U3DartConfig.U3 : U3DartConfig.U4;
    int answers = 0;
    try (DartMachine machine = new DartMachine(config)) {
      machine.enabled(1);
      Endpoint endpoint = machine.device.endpoint();
      for (int step = 0; step < STEPS; step++) {
        long iova = random.nextInt(PAGES) * 4096L + random.nextInt(4096);
        if (random.nextInt(4) == 0) {
          long page = random.nextInt(16) == 0 ? 0xFFFF : 0x80 + random.nextInt(16);
          machine.entry(iova, random.nextInt(4) == 0 ? page : 0x8000_0000L | page);
          machine.flush();
        } else {
          answers += QuickWalkChecks.assertAgrees(machine.iommu, endpoint, iova);
        }
      }
    }
    assertThat(answers).as("answers of the quick form").isGreaterThan(STEPS);
  }
}
