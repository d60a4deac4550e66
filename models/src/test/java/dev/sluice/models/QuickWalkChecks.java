package dev.sluice.models;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.sluice.dma.DmaContext;
import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.Iotlb;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.Word;
import java.lang.management.ManagementFactory;
import java.nio.ByteOrder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// What holds for a model's quick form of a walk.
public final class QuickWalkChecks {
  /// Pages so far apart take turns in one slot of the IOTLB.
  public static final long APART = 4096L << 12;

  private static final int OPERATIONS = 50_000;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private QuickWalkChecks() {}

  /// Checks that the quick form says nothing else than the other, for an address in every way of
  /// access: it may leave the answer to that.
  ///
  /// @return how often it did not
  public static int assertAgrees(Iommu iommu, Endpoint endpoint, long iova) {
    int answers = 0;
    for (Access access : Access.values()) {
      @Nullable Iotlb space = endpoint.space();
      long quick = space == null ? Iotlb.MISS : iommu.walk(endpoint, space, iova, access);
      Translation translation = iommu.translate(endpoint, iova, access);
      if (quick != Iotlb.MISS) {
        answers++;
        assertThat(translation)
            .as("%s of 0x%x", access, iova)
            .isInstanceOfSatisfying(
                Translation.Page.class,
                page -> {
                  assertThat(page.allows(access)).isTrue();
                  assertThat(quick).isEqualTo(walked(endpoint.memory(), page, iova));
                });
      }
    }
    return answers;
  }

  private static long walked(GuestMemory memory, Translation.Page page, long iova) {
    long ram =
        memory.ramAddress(
            page.translate(iova & -GuestMemory.PAGE), GuestMemory.PAGE, page.writable());
    return Iotlb.walked(ram, (page.readable() ? 1 : 0) | (page.writable() ? 2 : 0));
  }

  /// Checks that an access whose translation is not cached allocates nothing, the walk included.
  ///
  /// @param iova a page that is mapped for reading, as is the one [#APART] from it
  /// @param walks the model's count of them
  /// @param devices make them in turn
  public static void assertMissesAllocateNothing(
      long iova, LongSupplier walks, DmaContext... devices) {
    Word word = new Word();
    double best = Double.MAX_VALUE;
    // In the first rounds the compiler has not been through.
    for (int round = 0; round < 40 && best >= 0.1; round++) {
      long walksBefore = walks.getAsLong();
      long before = THREADS.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < OPERATIONS; i++) {
        DmaContext device = devices[(i >>> 1) % devices.length];
        if (device.load(iova + (i & 1) * APART, 8, ByteOrder.LITTLE_ENDIAN, word) != null) {
          throw new AssertionError("refused");
        }
      }
      long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
      best = Math.min(best, (double) allocated / OPERATIONS);
      assertThat(walks.getAsLong() - walksBefore).isEqualTo(OPERATIONS);
    }
    assertThat(best).as("bytes a miss").isLessThan(0.1);
  }
}
