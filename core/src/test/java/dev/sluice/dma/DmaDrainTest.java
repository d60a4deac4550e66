package dev.sluice.dma;

import static dev.sluice.dma.DmaMachine.PAGE;
import static dev.sluice.dma.DmaMachine.RAM;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.iommu.FakeIommu;
import dev.sluice.iommu.Invalidation;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;
import dev.sluice.memory.Word;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

/// The promise, seen through a device's accesses: once an invalidation has completed, nothing that
/// was obtained before it over its range touches memory any more.
class DmaDrainTest {
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;

  private final DmaMachine machine = new DmaMachine();
  private final DmaContext dma = machine.dma;
  private final FakeIommu iommu = machine.iommu;
  private final Word word = new Word();

  private long load(long iova) {
    TargetAbort abort = dma.load(iova, 8, LITTLE, word);
    if (abort != null) {
      throw new AssertionError(abort);
    }
    return word.asLong();
  }

  @Test
  void beforeAnInvalidationTheOldPageIsUsedAndAfterItTheNewOne() {
    machine.memory.store(RAM, 8, LITTLE, 100);
    machine.memory.store(RAM + PAGE, 8, LITTLE, 101);
    machine.map(0, 0);
    assertThat(load(0)).isEqualTo(100);
    iommu.unmap(0);
    machine.map(0, 1);
    assertThat(load(0)).as("a guest that forgets to invalidate meets its mistake").isEqualTo(100);
    assertThat(iommu.walks()).isEqualTo(1);
    machine.invalidate(0, "done");
    assertThat(load(0)).isEqualTo(101);
  }

  @Test
  void hitsAskTheModelNothing() {
    machine.map(0, 0);
    for (int i = 0; i < 100; i++) {
      assertThat(load(i * 8L)).isZero();
    }
    assertThat(iommu.walks()).isEqualTo(1);
    assertThat(dma.endpoint().misses()).isEqualTo(1);
  }

  /// The walk read the old entry; the guest changed it and invalidated; then the walk offers what
  /// it read. The access may go on with the old page, and the invalidation waits for it, but the
  /// next access must not find that page.
  @Test
  void aWalkThatIsOvertakenByAnInvalidationCachesNothing() {
    machine.memory.store(RAM, 8, LITTLE, 100);
    machine.map(0, 0);
    iommu.afterWalk(() -> {
      iommu.afterWalk(() -> {});
      machine.unmap(0, "done");
      assertThat(machine.completed).as("the access under way").isEmpty();
    });
    assertThat(load(0)).isEqualTo(100);
    assertThat(machine.completed).containsExactly("done");
    assertThat(dma.load(0, 8, LITTLE, word)).isNotNull();
  }

  @Test
  void aRequesterWhoseEntryIsInvalidatedDuringAWalkIsNotBoundToItsOldSpace() {
    machine.map(0, 0);
    iommu.afterWalk(() -> {
      iommu.afterWalk(() -> {});
      iommu.block(DmaMachine.DEVICE);
      iommu
          .invalidator()
          .invalidate(Invalidation.ofBinding(dma.endpoint()), () -> machine.completed.add("done"));
    });
    assertThat(load(0)).isZero();
    assertThat(machine.completed).containsExactly("done");
    assertThat(dma.endpoint().space()).isNull();
    assertThat(dma.load(0, 8, LITTLE, word)).isNotNull();
  }

  @Test
  void aMappingMadeByAnOvertakenWalkIsWaitedFor() {
    machine.map(0, 0);
    iommu.afterWalk(() -> {
      iommu.afterWalk(() -> {});
      machine.unmap(0, "done");
    });
    Mapping mapping = machine.mapping(0, PAGE, Access.WRITE);
    assertThat(machine.completed).isEmpty();
    mapping.store(0, 8, LITTLE, 5);
    mapping.close();
    assertThat(machine.completed).containsExactly("done");
  }

  @Test
  void aMappingMadeByTheNewTablesIsNotWaitedFor() {
    machine.map(0, 0);
    Mapping old = machine.mapping(0, PAGE, Access.WRITE);
    iommu.unmap(0);
    machine.map(0, 1);
    machine.invalidate(0, "done");
    Mapping young = machine.mapping(0, PAGE, Access.WRITE);
    old.close();
    assertThat(machine.completed).containsExactly("done");
    young.close();
  }

  @Test
  void unrelatedAccessesGoOnWhileAnInvalidationWaits() {
    machine.map(0, 0).map(1, 1);
    try (DmaContext other = DmaContext.behind(iommu, machine.memory, RequesterId.of(0, 6, 0))) {
      Mapping mapping = machine.mapping(0, PAGE, Access.WRITE);
      machine.unmap(0, "done");
      assertThat(load(PAGE)).isZero();
      assertThat(other.load(PAGE, 8, LITTLE, word)).isNull();
      try (Mapping beside = machine.mapping(PAGE, PAGE, Access.WRITE)) {
        beside.store(0, 8, LITTLE, 1);
        mapping.store(0, 8, LITTLE, 1);
      }
      machine.invalidate(1, "beside");
      assertThat(machine.completed).containsExactly("beside");
      mapping.close();
      assertThat(machine.completed).containsExactly("beside", "done");
    }
  }
}
