package dev.sluice.dma;

import static dev.sluice.dma.DmaMachine.PAGE;
import static dev.sluice.dma.DmaMachine.RAM;
import static dev.sluice.dma.DmaMachine.RAM_SIZE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.memory.Access;
import dev.sluice.memory.Bytes;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The slips of the patch that Sluice began with, QEMU's "iommu: Introduce IOMMU emulation
/// infrastructure" of 2012: each must not come back.
class SlipsOf2012Test {
  private final DmaMachine machine = new DmaMachine();
  private final DmaContext dma = machine.dma;

  /// There, `dma_memory_unmap` walked its list, took the map out of it, and ran into the assertion
  /// behind the loop all the same.
  @Test
  void anUnmapThatFindsItsMapSucceeds() {
    List<Mapping> mappings = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      machine.map(i, i);
      mappings.add(machine.mapping(i * PAGE, PAGE, Access.READ));
    }
    for (int i : new int[] {2, 0, 3, 1}) {
      mappings.get(i).close();
      assertThat(mappings).filteredOn(Mapping::isLive).hasSize(dma.endpoint().holdCount());
    }
    assertThat(dma.endpoint().holdCount()).isZero();
  }

  /// There, a map had one pointer to the invalidation that waited for it: a second one took the
  /// place of the first, whose waiter slept for ever.
  @Test
  void aSecondInvalidationOverOneMapDoesNotMakeTheFirstSleepForEver() {
    machine.map(0, 0);
    Mapping mapping = machine.mapping(0, PAGE, Access.READ);
    machine.invalidate(0, "first");
    machine.invalidate(0, "second");
    machine.invalidate(0, "third");
    assertThat(machine.completed).isEmpty();
    mapping.close();
    assertThat(machine.completed).containsExactly("first", "second", "third");
  }

  /// There, the waiter was woken by any end of a map and did not ask again whether all were gone.
  @Test
  void anInvalidationIsNotCompleteWhenOneOfItsMapsEnds() {
    machine.map(0, 0).map(1, 1);
    Mapping one = machine.mapping(0, PAGE, Access.READ);
    Mapping two = machine.mapping(0, 2 * PAGE, Access.READ);
    Mapping beside = machine.mapping(PAGE, PAGE, Access.READ);
    machine.unmap(0, "done");
    beside.close();
    one.close();
    assertThat(machine.completed).isEmpty();
    two.close();
    assertThat(machine.completed).containsExactly("done");
  }

  /// There, a translation whose host mapping failed was put on the list of live maps nevertheless,
  /// and nobody would ever take it off.
  @Test
  void aMapThatFailedInTheHostIsNotWaitedFor() {
    machine.iommu.map(0, RAM + RAM_SIZE);
    assertThat(dma.map(0, PAGE, Access.READ)).isInstanceOf(TargetAbort.class);
    machine.map(1, 1);
    machine.memory.remove(RAM, RAM + RAM_SIZE - 1, () -> machine.completed.add("unmapped"));
    assertThat(dma.map(PAGE, PAGE, Access.READ)).isInstanceOf(TargetAbort.class);

    assertThat(dma.endpoint().holdCount()).isZero();
    machine.unmap(0, "done");
    assertThat(machine.completed).containsExactly("unmapped", "done");
  }

  /// There, the loop went on by the length of each translation, so one of no length made it spin.
  @Test
  @Timeout(20)
  void everyStepOfATransferGoesOn() {
    machine.map(0, 0).map(1, 1);
    assertThat(dma.read(PAGE, Bytes.zeros(1), 0, 0)).isNull();
    assertThat(dma.fill(new ScatterGatherList().add(5, 0).add(PAGE - 1, 2), 0, 2, (byte) 1))
        .isNull();
    for (long iova = PAGE - 2; iova <= PAGE; iova++) {
      assertThat(dma.check(iova, 2, Access.READ)).isNull();
      try (Mapping mapping = machine.mapping(iova, 1, Access.READ)) {
        assertThat(mapping.length()).isEqualTo(1);
      }
    }
    machine.iommu.map(-PAGE, RAM);
    assertThat(dma.check(-1, 1, Access.READ)).isNull();
    assertThat(dma.check(-1, Long.MAX_VALUE, Access.READ))
        .isNotNull()
        .extracting(TargetAbort::bytesMoved)
        .isEqualTo(1L);
  }

  /// There, a lookup was given a length that nobody had set, and the answer was the smaller of the
  /// two.
  @Test
  void theLengthOfAMappingDependsOnTheRequestAndTheTablesOnly() {
    machine.map(0, 0).map(1, 1);
    for (long length : new long[] {2 * PAGE, 1, 4097, 16, 2 * PAGE}) {
      try (Mapping mapping = machine.mapping(0, length, Access.READ)) {
        assertThat(mapping.length()).isEqualTo(length);
        assertThat(mapping.stop()).isEqualTo(Mapping.Stop.COMPLETE);
      }
    }
  }
}
