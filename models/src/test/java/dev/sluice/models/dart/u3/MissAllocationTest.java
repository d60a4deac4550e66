package dev.sluice.models.dart.u3;

import dev.sluice.models.QuickWalkChecks;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MissAllocationTest {
  private static final long IOVA = 0x5000;

  @ParameterizedTest
  @EnumSource
  void aMissAllocatesNothing(Bridge bridge) {
    try (DartMachine machine = bridge == Bridge.U3 ? DartMachine.u3() : DartMachine.u4()) {
      machine.enabled(8);
      machine.map(IOVA, 0x8_0000);
      machine.map(IOVA + QuickWalkChecks.APART, 0x8_1000);
      QuickWalkChecks.assertMissesAllocateNothing(
          IOVA, () -> machine.iommu.statistics().walks(), machine.device);
    }
  }
}
