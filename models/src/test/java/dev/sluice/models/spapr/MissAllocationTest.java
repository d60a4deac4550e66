package dev.sluice.models.spapr;

import dev.sluice.models.QuickWalks;
import org.junit.jupiter.api.Test;

class MissAllocationTest {
  private static final long IOVA = 0x5000;

  @Test
  void aMissAllocatesNothing() {
    try (SpaprMachine machine = new SpaprMachine()) {
      machine.put(IOVA, 0x20_0003);
      machine.put(IOVA + QuickWalks.APART, 0x20_1003);
      QuickWalks.assertMissesAllocateNothing(
          IOVA, () -> machine.iommu.statistics().walks(), machine.device);
    }
  }
}
