package dev.sluice.models.vtd;

import dev.sluice.models.QuickWalks;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MissAllocationTest {
  private static final long IOVA = 0x12_0000_0000L;
  private static final int READ_WRITE = 3;

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aMissAllocatesNothing(boolean cachingMode) {
    try (VtdMachine machine = new VtdMachine(VtdConfig.DEFAULT.withCachingMode(cachingMode))) {
      long top = machine.tables.translated(VtdMachine.DEVICE, 2, VtdMachine.DOMAIN);
      machine.tables.map(top, 4, 1, IOVA, 0x1_0000, READ_WRITE);
      machine.tables.map(top, 4, 1, IOVA + QuickWalks.APART, 0x1_1000, READ_WRITE);
      machine.enabled();
      QuickWalks.assertMissesAllocateNothing(
          machine.device, IOVA, () -> machine.iommu.statistics().walks());
    }
  }
}
