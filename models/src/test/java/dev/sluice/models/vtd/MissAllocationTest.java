package dev.sluice.models.vtd;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.sluice.memory.Word;
import java.lang.management.ManagementFactory;
import java.nio.ByteOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// An access whose translation is not cached allocates nothing, the walk included.
class MissAllocationTest {
  private static final int OPERATIONS = 50_000;
  private static final long IOVA = 0x12_0000_0000L;
  private static final int READ_WRITE = 3;

  /// Pages that take turns in one slot of the IOTLB.
  private static final long APART = 4096L << 12;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aMissAllocatesNothing(boolean cachingMode) {
    try (VtdMachine machine = new VtdMachine(VtdConfig.DEFAULT.withCachingMode(cachingMode))) {
      long top = machine.tables.translated(VtdMachine.DEVICE, 2, VtdMachine.DOMAIN);
      machine.tables.map(top, 4, 1, IOVA, 0x1_0000, READ_WRITE);
      machine.tables.map(top, 4, 1, IOVA + APART, 0x1_1000, READ_WRITE);
      machine.enabled();
      Word word = new Word();
      double best = Double.MAX_VALUE;
      // In the first rounds the compiler has not been through.
      for (int round = 0; round < 40 && best >= 0.1; round++) {
        long walks = machine.iommu.statistics().walks();
        long before = THREADS.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < OPERATIONS; i++) {
          long iova = IOVA + (i & 1) * APART;
          if (machine.device.load(iova, 8, ByteOrder.LITTLE_ENDIAN, word) != null) {
            throw new AssertionError("refused");
          }
        }
        long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
        best = Math.min(best, (double) allocated / OPERATIONS);
        assertThat(machine.iommu.statistics().walks() - walks).isEqualTo(OPERATIONS);
      }
      assertThat(best).isLessThan(0.1);
    }
  }
}
