package dev.sluice.models.vtd;

import dev.sluice.dma.DmaContext;
import dev.sluice.iommu.RequesterId;
import dev.sluice.models.QuickWalkChecks;
import org.junit.jupiter.api.Test;
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
      machine.tables.map(top, 4, 1, IOVA + QuickWalkChecks.APART, 0x1_1000, READ_WRITE);
      machine.enabled();
      QuickWalkChecks.assertMissesAllocateNothing(
          IOVA, () -> machine.iommu.statistics().walks(), machine.device);
    }
  }

  @Test
  void missesOfDomainsThatShareAPlaceInTheCachesAllocateNothing() {
    try (VtdMachine machine = new VtdMachine()) {
      RequesterId other = RequesterId.of(0, 6, 0);
      int domain = VtdMachine.DOMAIN + PdeCaches.MAX_DOMAINS;
      for (long top :
          new long[] {
            machine.tables.translated(VtdMachine.DEVICE, 2, VtdMachine.DOMAIN),
            machine.tables.translated(other, 2, domain)
          }) {
        machine.tables.map(top, 4, 1, IOVA, 0x1_0000, READ_WRITE);
        machine.tables.map(top, 4, 1, IOVA + QuickWalkChecks.APART, 0x1_1000, READ_WRITE);
      }
      machine.enabled();
      try (DmaContext device = machine.attach(other)) {
        QuickWalkChecks.assertMissesAllocateNothing(
            IOVA, () -> machine.iommu.statistics().walks(), machine.device, device);
      }
    }
  }
}
