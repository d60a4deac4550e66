package dev.sluice.models.dart.apple;

import static dev.sluice.models.dart.apple.DartMachine.READ_WRITE;
import static dev.sluice.models.dart.apple.DartMachine.STREAM;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.iommu.Endpoint;
import dev.sluice.models.QuickWalkChecks;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class QuickWalkTest {
  private static final int STEPS = 3_000;
  private static final long PAGE = 0x4000;
  private static final int PAGES = 16;

  @ParameterizedTest
  @EnumSource
  void theQuickFormOfAWalkSaysWhatTheOtherSays(DartType type) {
    SplittableRandom random = new SplittableRandom(1);
    int answers = 0;
    try (DartMachine machine = DartMachine.of(type)) {
      long top = machine.translated(STREAM);
      long[] protections = {
        READ_WRITE, machine.noRead(), machine.noWrite(), machine.noRead() | machine.noWrite()
      };
      Endpoint endpoint = machine.device.endpoint();
      for (int step = 0; step < STEPS; step++) {
        long iova = random.nextInt(PAGES) * PAGE + random.nextLong(PAGE);
        if (random.nextInt(4) == 0) {
          long page = iova & -PAGE;
          if (random.nextInt(4) == 0) {
            machine.unmap(top, page);
          } else {
            long protection = protections[random.nextInt(protections.length)];
            machine.map(top, page, 0x10_0000 + random.nextInt(16) * PAGE, protection);
          }
          machine.invalidate(STREAM);
        } else {
          answers += QuickWalkChecks.assertAgrees(machine.iommu, endpoint, iova);
        }
      }
    }
    assertThat(answers).as("answers of the quick form").isGreaterThan(STEPS / 2);
  }
}
