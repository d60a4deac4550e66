package dev.sluice.dma;

import static dev.sluice.dma.DmaMachine.DEVICE;
import static dev.sluice.dma.DmaMachine.PAGE;
import static dev.sluice.dma.DmaMachine.RAM;
import static dev.sluice.dma.DmaMachine.RAM_SIZE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.Mapping.Stop;
import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.FakeIommu;
import dev.sluice.iommu.Translation.Page;
import dev.sluice.memory.Access;
import dev.sluice.memory.Bytes;
import dev.sluice.memory.FakePort;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;

/// How much a mapping covers, why it ends there, and why there is none.
class DmaContextMapTest {
  private final DmaMachine machine = new DmaMachine();
  private final DmaContext dma = machine.dma;
  private final FakeIommu iommu = machine.iommu;
  private final GuestMemory memory = machine.memory;

  private void mapped(long iova, long length, Access access, long mappedLength, Stop stop) {
    try (Mapping mapping = machine.mapping(iova, length, access)) {
      assertThat(mapping.iova()).isEqualTo(iova);
      assertThat(mapping.length()).isEqualTo(mappedLength);
      assertThat(mapping.stop()).isEqualTo(stop);
      assertThat(mapping.access()).isEqualTo(access);
      assertThat(mapping.isLive()).isTrue();
    }
    assertThat(dma.endpoint().holdCount()).isZero();
  }

  private void refused(long iova, Access access, AbortReason reason, int code) {
    assertThat(machine.refusedMapping(iova, PAGE, access))
        .isEqualTo(new TargetAbort(DEVICE, Endpoint.NO_PASID, iova, access, reason, code, 0));
    assertThat(dma.endpoint().holdCount()).isZero();
  }

  @Test
  void neighboursInBothSpacesAreOneMapping() {
    machine.map(0, 5).map(1, 6).map(2, 7);
    mapped(10, 3 * PAGE - 10, Access.READ_WRITE, 3 * PAGE - 10, Stop.COMPLETE);
    mapped(10, 20, Access.READ, 20, Stop.COMPLETE);
  }

  @Test
  void aMappingEndsWhereMemoryIsNotContiguous() {
    machine.map(0, 5).map(1, 9);
    mapped(10, 2 * PAGE - 10, Access.READ, PAGE - 10, Stop.DISCONTIGUOUS);
  }

  @Test
  void aMappingEndsAtTheEdgeOfItsRegion() {
    memory.addRam(RAM + RAM_SIZE, RamRegion.allocate(PAGE));
    iommu.map(0, RAM + RAM_SIZE - PAGE);
    iommu.map(PAGE, RAM + RAM_SIZE);
    iommu.map(2 * PAGE, RAM + RAM_SIZE + PAGE);
    mapped(0, 2 * PAGE, Access.READ, PAGE, Stop.DISCONTIGUOUS);
    mapped(PAGE, 2 * PAGE, Access.READ, PAGE, Stop.REFUSED);
  }

  @Test
  void aMappingEndsWhereTheTablesRefuseTheNextPage() {
    machine.map(0, 5).map(1, 6, Access.READ).map(3, 8);
    mapped(0, 3 * PAGE, Access.READ, 2 * PAGE, Stop.REFUSED);
    mapped(0, 3 * PAGE, Access.WRITE, PAGE, Stop.REFUSED);
    assertThat(iommu.reports()).as("the device did not touch those pages").isEmpty();
    refused(PAGE, Access.WRITE, AbortReason.NO_WRITE, FakeIommu.CODE_NO_WRITE);
    refused(2 * PAGE, Access.READ, AbortReason.NOT_MAPPED, FakeIommu.CODE_NOT_MAPPED);
    assertThat(iommu.reports()).hasSize(2);
  }

  @Test
  void aMappingEndsAtReadOnlyMemoryIfItIsToBeWritten() {
    Arena arena = Bytes.arena();
    memory.addRam(RAM + RAM_SIZE, RamRegion.of(arena.allocate(PAGE, PAGE), false, arena::close));
    iommu.map(0, RAM + RAM_SIZE - PAGE);
    iommu.map(PAGE, RAM + RAM_SIZE);
    mapped(0, 2 * PAGE, Access.WRITE, PAGE, Stop.REFUSED);
    mapped(0, 2 * PAGE, Access.READ, PAGE, Stop.DISCONTIGUOUS);
    refused(PAGE, Access.WRITE, AbortReason.READ_ONLY_MEMORY, TargetAbort.NO_CODE);
  }

  @Test
  void aMappingIsNoLongerThanItsLimit() {
    long limit = DmaContext.MAX_MAPPING;
    memory.addRam(1L << 32, RamRegion.allocate(2 * limit));
    for (long at = 0; at < 2 * limit; at += 1L << 21) {
      iommu.map((1L << 40) + at, (1L << 32) + at, 21, Access.READ_WRITE);
    }
    mapped(1L << 40, limit, Access.READ, limit, Stop.COMPLETE);
    mapped(1L << 40, limit + 1, Access.READ, limit, Stop.LIMIT);
    mapped(1L << 40, Long.MAX_VALUE, Access.READ, limit, Stop.LIMIT);
  }

  @Test
  void aMappingEndsWithTheAddressSpace() {
    iommu.map(-PAGE, RAM);
    iommu.map(0, RAM + PAGE);
    mapped(-8, 16, Access.READ, 8, Stop.REFUSED);
    mapped(-8, 8, Access.READ, 8, Stop.COMPLETE);
  }

  @Test
  void aMappingDoesNotReachIntoAnotherAddressSpace() {
    machine.map(0, 0);
    iommu.map(new Page(PAGE, RAM + PAGE, 12, true, true, 99));
    iommu.move(DEVICE, FakeIommu.TAG);
    // A guest that moves the device between the two walks.
    iommu.caching(false);
    iommu.afterWalk(() -> iommu.move(DEVICE, 99));
    mapped(0, 2 * PAGE, Access.READ, PAGE, Stop.DISCONTIGUOUS);
  }

  @Test
  void thereIsNoMappingOfWhatIsNotRam() {
    memory.addMessageOnly(0, PAGE, true, new FakePort(0, PAGE));
    memory.addMessageOnly(PAGE, PAGE, false, new FakePort(PAGE, PAGE));
    iommu.map(0, 0);
    iommu.map(PAGE, PAGE);
    iommu.map(2 * PAGE, 1L << 50);
    refused(0, Access.READ, AbortReason.WOULD_BLOCK, TargetAbort.NO_CODE);
    refused(PAGE, Access.WRITE, AbortReason.READ_ONLY_MEMORY, TargetAbort.NO_CODE);
    refused(2 * PAGE, Access.READ, AbortReason.NO_MEMORY, TargetAbort.NO_CODE);
    refused(FakeIommu.INTERRUPTS, Access.WRITE, AbortReason.INTERRUPT_RANGE, TargetAbort.NO_CODE);
  }

  @Test
  void thereIsNoMappingForABlockedRequesterNorWithoutBusMastering() {
    machine.map(0, 0);
    dma.busMaster(false);
    refused(0, Access.READ, AbortReason.BUS_MASTER_OFF, TargetAbort.NO_CODE);
    dma.busMaster(true);
    iommu.block(DEVICE);
    refused(0, Access.READ, AbortReason.BLOCKED, FakeIommu.CODE_BLOCKED);
    dma.close();
    refused(0, Access.READ, AbortReason.BUS_MASTER_OFF, TargetAbort.NO_CODE);
  }

  @Test
  void withoutAnIommuAMappingIsOfGuestPhysicalMemory() {
    try (DmaContext direct = DmaContext.direct(memory, DEVICE);
        Mapping mapping = (Mapping) direct.map(RAM + RAM_SIZE - 100, PAGE, Access.READ)) {
      assertThat(mapping.length()).isEqualTo(100);
      assertThat(mapping.stop()).isEqualTo(Stop.REFUSED);
      assertThat(direct.map(0, 1, Access.READ)).isInstanceOf(TargetAbort.class);
    }
  }

  @Test
  void aMappingHasAOneLineDescription() {
    machine.map(1, 0);
    try (Mapping mapping = machine.mapping(PAGE, 16, Access.READ)) {
      assertThat(mapping).hasToString("mapping of 16 bytes at 0x1000 by 00:05.0 for READ");
    }
  }
}
