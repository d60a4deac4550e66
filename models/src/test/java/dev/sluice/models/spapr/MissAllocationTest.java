package dev.sluice.models.spapr;

import dev.sluice.models.QuickWalkChecks;
import org.junit.jupiter.api.Test;

class MissAllocationTest {
  private static final long IOVA = 0x5000;

  @Test
  void aMissAllocatesNothing() {
    try (SpaprMachine machine = new SpaprMachine()) {
      machine.put(IOVA, 0x20_0003);
      machine.put(IOVA + QuickWalkChecks.APART, 0x20_1003);
      QuickWalkChecks.assertMissesAllocateNothing(
          IOVA, () -> machine.iommu.statistics().walks(), machine.device);
    }
  }
}
