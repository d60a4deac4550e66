package dev.sluice.bench.jmh;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BedTest {
  private final Bed bed = new Bed();
  private final SharedDevice one = new SharedDevice();
  private final Device device = new Device();

  @BeforeEach
  void prepare() {
    bed.prepare();
    one.attach(bed);
    device.prepare(bed, one);
  }

  @Test
  void aRoundOfHitsWalksNoTable() {
    long before = walks();

    new TranslationBenchmark().hit(bed, device);
    new AccessBenchmark().read(bed, device);

    assertThat(walks()).isEqualTo(before);
  }

  @Test
  void aRoundOfMissesWalksForEachOperation() {
    // The first round still meets what filling the cache left.
    new AccessBenchmark().loadMissed(bed, device);
    long before = walks();

    new AccessBenchmark().loadMissed(bed, device);

    assertThat(walks() - before).isEqualTo(Operations.ofRound(64));
  }

  @Test
  void eachPageHasASlotOfItsOwn() {
    long before = walks();

    bed.cacheAllPages(device.context);

    assertThat(walks() - before).isEqualTo(VtdMachine.PAGES - 64);
  }

  private long walks() {
    return bed.machine().iommu().statistics().walks();
  }
}
