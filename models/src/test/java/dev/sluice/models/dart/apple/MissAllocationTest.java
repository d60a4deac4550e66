package dev.sluice.models.dart.apple;

import static dev.sluice.models.dart.apple.DartMachine.READ_WRITE;
import static dev.sluice.models.dart.apple.DartMachine.STREAM;

import dev.sluice.models.QuickWalkChecks;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MissAllocationTest {
  private static final long PAGE = 0x4000;

  /// In the second 4 KiB of a page.
  private static final long IOVA = 3 * PAGE + 0x1000;

  @ParameterizedTest
  @EnumSource
  void aMissAllocatesNothing(DartType type) {
    try (DartMachine machine = DartMachine.of(type)) {
      long top = machine.translated(STREAM);
      machine.map(top, 3 * PAGE, 0x10_0000, READ_WRITE);
      machine.map(top, 3 * PAGE + QuickWalkChecks.APART, 0x10_4000, READ_WRITE);
      QuickWalkChecks.assertMissesAllocateNothing(
          IOVA, () -> machine.iommu.statistics().walks(), machine.device);
    }
  }
}
