package dev.sluice.dma;

import static dev.sluice.dma.DmaMachine.PAGE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.FakeIommu;
import dev.sluice.iommu.Invalidator;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.Iotlb;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;
import dev.sluice.memory.Bytes;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.RamRegion;
import dev.sluice.memory.Word;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Misses that a model answers with a word.
class QuickWalkTest {
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final long IOVA = 0x12_0000_0000L;

  /// A model that walks quickly for the pages in `quick`, by I/O virtual address.
  private static final class QuickIommu implements Iommu {
    final FakeIommu slow = new FakeIommu();
    final Map<Long, Long> quick = new HashMap<>();
    int quickWalks;
    Runnable afterWalk = () -> {};

    @Override
    public Invalidator invalidator() {
      return slow.invalidator();
    }

    @Override
    public Translation translate(Endpoint endpoint, long iova, Access access) {
      return slow.translate(endpoint, iova, access);
    }

    @Override
    public long walk(Endpoint endpoint, Iotlb space, long iova, Access access) {
      assertThat(space).isSameAs(endpoint.space());
      Long word = quick.get(iova & -PAGE);
      if (word == null || (~(word >>> 48) & access.rights()) != 0) {
        return Iotlb.MISS;
      }
      quickWalks++;
      afterWalk.run();
      return word;
    }

    @Override
    public void report(Endpoint endpoint, long iova, Access access, Translation.Fault fault) {
      slow.report(endpoint, iova, access, fault);
    }

    @Override
    public void interrupt(Endpoint endpoint, long address, int data) {
      slow.interrupt(endpoint, address, data);
    }
  }

  private final GuestMemory memory = new GuestMemory();
  private final QuickIommu iommu = new QuickIommu();
  private final DmaContext dma = DmaContext.behind(iommu, memory, RequesterId.of(0, 1, 0));
  private final Word word = new Word();

  QuickWalkTest() {
    memory.addRam(0, RamRegion.allocate(16 * PAGE));
    for (long page = 0; page < 16; page++) {
      assertThat(memory.store(page * PAGE, 8, LITTLE, page)).isEqualTo(MemoryStatus.OK);
    }
    // Binds the device.
    iommu.slow.map(0, 0);
    assertThat(dma.load(0, 8, LITTLE, word)).isNull();
  }

  private void map(long iova, long address, Access access) {
    long ram = memory.ramAddress(address, PAGE, access.writes());
    iommu.quick.put(iova, Iotlb.walked(ram, access.rights()));
  }

  private long load(long iova) {
    assertThat(dma.load(iova, 8, LITTLE, word)).isNull();
    return word.asLong();
  }

  @Test
  void theAnswerIsUsedAndKept() {
    map(IOVA, 5 * PAGE, Access.READ);
    assertThat(load(IOVA)).isEqualTo(5);
    assertThat(load(IOVA)).isEqualTo(5);
    assertThat(iommu.quickWalks).isEqualTo(1);
    assertThat(iommu.slow.walks()).isEqualTo(1);
    assertThat(dma.endpoint().misses()).isEqualTo(2);
  }

  @Test
  void everyKindOfAccessUsesIt() {
    for (long i = 0; i < 8; i++) {
      map(IOVA + i * PAGE, (15 - i) * PAGE, Access.READ_WRITE);
    }
    assertThat(dma.store(IOVA + 8, 8, LITTLE, 77)).isNull();
    assertThat(load(IOVA + 8)).isEqualTo(77);
    assertThat(dma.fetchAndAdd(IOVA + PAGE, 8, LITTLE, 2, word)).isNull();
    assertThat(word.asLong()).isEqualTo(14);
    assertThat(dma.compareAndExchange(IOVA + 2 * PAGE, 8, LITTLE, 13, 5, word)).isNull();
    assertThat(word.asLong()).isEqualTo(13);
    assertThat(dma.fill(IOVA + 3 * PAGE, 16, (byte) 0)).isNull();
    assertThat(load(IOVA + 3 * PAGE)).isZero();
    assertThat(dma.read(IOVA + 4 * PAGE, Bytes.zeros(64), 0, 64)).isNull();
    assertThat(dma.map(IOVA + 5 * PAGE, 64, Access.READ_WRITE))
        .isInstanceOfSatisfying(
            Mapping.class,
            mapping -> {
              assertThat(mapping.length()).isEqualTo(64);
              mapping.close();
            });
    assertThat(iommu.quickWalks).isEqualTo(6);
    assertThat(iommu.slow.walks()).isEqualTo(1);
    assertThat(load(IOVA + PAGE)).isEqualTo(16);
    assertThat(load(IOVA + 2 * PAGE)).isEqualTo(5);
  }

  @Test
  void anAnswerThatAnInvalidationOvertookIsNotKept() {
    map(IOVA, 5 * PAGE, Access.READ);
    iommu.afterWalk =
        () -> {
          iommu.afterWalk = () -> {};
          map(IOVA, 6 * PAGE, Access.READ);
          iommu.invalidator().invalidate(FakeIommu.TAG, IOVA, IOVA + PAGE - 1, () -> {});
        };
    assertThat(load(IOVA)).isEqualTo(5);
    assertThat(load(IOVA)).isEqualTo(6);
    assertThat(load(IOVA)).isEqualTo(6);
    assertThat(iommu.quickWalks).isEqualTo(2);
  }

  @Test
  void anInvalidationWaitsForTheAccessThatWalks() {
    map(IOVA, 5 * PAGE, Access.READ);
    boolean[] complete = new boolean[1];
    iommu.afterWalk =
        () ->
            iommu
                .invalidator()
                .invalidate(FakeIommu.TAG, IOVA, IOVA + PAGE - 1, () -> complete[0] = true);
    assertThat(complete[0]).isFalse();
    assertThat(load(IOVA)).isEqualTo(5);
    assertThat(complete[0]).isTrue();
  }

  @Test
  void whatTheModelDoesNotAnswerItTranslates() {
    iommu.slow.map(IOVA, 7 * PAGE);
    assertThat(load(IOVA)).isEqualTo(7);
    TargetAbort abort = dma.load(IOVA + PAGE, 8, LITTLE, word);
    assertThat(abort).isNotNull();
    assertThat(abort.reason()).isEqualTo(AbortReason.NOT_MAPPED);
    assertThat(iommu.slow.reports()).hasSize(1);
  }

  @Test
  void aPageThatMayOnlyBeReadIsKeptSo() {
    map(IOVA, 5 * PAGE, Access.READ);
    assertThat(load(IOVA)).isEqualTo(5);
    assertThat(dma.store(IOVA, 8, LITTLE, 1)).isNotNull();
    assertThat(load(IOVA)).isEqualTo(5);
    assertThat(iommu.slow.reports()).hasSize(1);
  }
}
