package dev.sluice.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.MappedMemory;
import dev.sluice.dma.Mapping;
import dev.sluice.dma.MappingRevokedException;
import dev.sluice.dma.TargetAbort;
import dev.sluice.dma.WholeResult;
import dev.sluice.iommu.Invalidator;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.Access;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// When an invalidation is complete, and what goes on until then.
interface DrainContract extends ContractSubject {
  /// How often a guest asks that floods a model.
  int FLOOD = 3_000;

  /// What is bounded.
  String DRAINS = "drains that wait for the mapping";

  @DrainCheck
  @ParameterizedTest
  @EnumSource
  default void everyWayIntoMemoryKeepsEveryInvalidationOverItFromCompleting(Way way) {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    for (Width width : machine.model().abilities().widths()) {
      for (int i = 0; i < Way.PAGES; i++) {
        machine.map(0, i, way.frame(machine, i));
      }
      Request request;
      try (Way.UnderWay _ = way.begin(machine, device)) {
        request = machine.takeAway(width, 0, 0, Way.PAGES);
        assertPending(request, "a " + way + " is under way, and " + width + " is invalidated");
      }
      assertComplete(request, "the " + way + " has ended");
      assertThat(machine.isRefused(device, machine.iova(0))).as("after %s", width).isTrue();
      assertComplete(machine.model().unmap(0, machine.iova(0), Way.PAGES), "nothing is under way");
    }
  }

  @DrainCheck
  @Test
  default void anInvalidationOfAnyPageOfAMappingWaitsForIt() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    for (int i = 0; i < 3; i++) {
      machine.mapFrames(0, 0, 3);
      Request request;
      try (Mapping _ =
          ContractMachine.mapping(device, machine.iova(0) + 8, 3L * machine.page() - 16)) {
        request = machine.model().unmap(0, machine.iova(i), 1);
        assertPending(request, "a mapping has page " + i);
      }
      assertComplete(request, "the mapping is closed");
      assertComplete(machine.model().unmap(0, machine.iova(0), 3), "nothing is under way");
    }
  }

  @Test
  default void anInvalidationWaitsForNothingThatItIsNotAbout() {
    ContractMachine machine = machine();
    Abilities abilities = machine.model().abilities();
    DmaContext device = machine.device(0);
    machine.mapFrames(0, 0, 6);
    if (abilities.isExact()) {
      try (Mapping before = ContractMachine.mapping(device, machine.iova(1), machine.page());
          Mapping after = ContractMachine.mapping(device, machine.iova(3), machine.page())) {
        assertComplete(machine.model().unmap(0, machine.iova(2), 1), "other pages are held");
        assertThat(before.isLive() && after.isLive()).isTrue();
      }
    }
    if (abilities.domains() > 1) {
      DmaContext elsewhere = machine.device(1);
      machine.mapFrames(1, 0, 6);
      try (Mapping other =
          ContractMachine.mapping(elsewhere, machine.iova(0), 6L * machine.page())) {
        assertComplete(machine.model().unmap(0, machine.iova(0), 6), "another domain's are held");
        assertThat(other.isLive()).isTrue();
      }
    }
  }

  @DrainCheck
  @Test
  default void theMappingIsGoodUntilItIsClosedAndNewAccessesGoByTheNewTables() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    machine.map(0, 0, machine.frame(1));
    Request request;
    Mapping later;
    try (Mapping held = ContractMachine.mapping(device, machine.iova(0), machine.page())) {
      request = machine.model().remap(0, machine.iova(0), machine.frame(2));
      assertPending(request, "a mapping of the old page is held");
      held.fill(0, 8, (byte) 0x21);
      assertThat(machine.memory().isAll(machine.frame(1), 8, (byte) 0x21)).isTrue();
      assertThat(machine.leads(device, machine.iova(0), machine.frame(2))).isTrue();
      later = ContractMachine.mapping(device, machine.iova(0), machine.page());
      later.fill(0, 8, (byte) 0x43);
      assertThat(machine.memory().isAll(machine.frame(2), 8, (byte) 0x43)).isTrue();
      assertPending(request, "the mapping of the old page is still held");
    }
    assertComplete(request, "only a mapping of the new page is held");
    assertThat(later.isLive()).isTrue();
    later.close();
  }

  @DrainCheck
  @Test
  default void otherDevicesAndOtherPagesGoOnMeanwhile() {
    ContractMachine machine = machine();
    Abilities abilities = machine.model().abilities();
    DmaContext device = machine.device(0);
    DmaContext beside = machine.device(0);
    machine.mapFrames(0, 0, 4);
    Request request;
    try (Mapping _ = ContractMachine.mapping(device, machine.iova(0), machine.page())) {
      request = machine.model().unmap(0, machine.iova(0), 1);
      assertPending(request, "a mapping is held");
      for (DmaContext one : List.of(device, beside)) {
        assertThat(machine.leads(one, machine.iova(1), machine.frame(1))).isTrue();
        try (Mapping mapping = ContractMachine.mapping(one, machine.iova(2), 2L * machine.page())) {
          assertThat(mapping.length()).isEqualTo(2L * machine.page());
        }
        assertThat(machine.isRefused(one, machine.iova(0))).isTrue();
      }
      if (abilities.domains() > 1) {
        DmaContext elsewhere = machine.device(1);
        machine.map(1, 0, machine.frame(6));
        assertThat(machine.leads(elsewhere, machine.iova(0), machine.frame(6))).isTrue();
      }
      if (abilities.independent()) {
        assertComplete(machine.model().unmap(0, machine.iova(1), 1), "its page is not held");
      }
      assertPending(request, "the mapping is still held");
    }
    assertComplete(request, "the mapping is closed");
  }

  @DrainCheck
  @Test
  default void twoInvalidationsOverOneMappingBothWaitForItAndBothComplete() {
    ContractMachine machine = machine();
    if (machine.model().abilities().outstanding() == 1) {
      assertASecondRequestWaitsForTheFirst(machine);
      return;
    }
    DmaContext device = machine.device(0);
    machine.mapFrames(0, 0, 3);
    int noticesBefore = machine.model().notices();
    Request first;
    Request second;
    try (Mapping _ = ContractMachine.mapping(device, machine.iova(0), 3L * machine.page())) {
      first = machine.model().unmap(0, machine.iova(0), 2);
      second = machine.model().unmap(0, machine.iova(1), 2);
      assertPending(first, "a mapping is held");
      assertPending(second, "a mapping is held");
      assertThat(machine.model().notices()).isEqualTo(noticesBefore);
    }
    assertComplete(first, "the mapping is closed");
    assertComplete(second, "the mapping is closed");
    int notices = machine.model().notices() - noticesBefore;
    switch (machine.model().abilities().notice()) {
      case POLLED -> assertThat(notices).isZero();
      // Two events may be one interrupt.
      case INTERRUPT -> assertThat(notices).isBetween(1, 2);
      case RESUMED_PROCESSOR -> assertThat(notices).isEqualTo(2);
    }
  }

  /// Software does not touch the register before the bit is clear; the unit ignores who does.
  private void assertASecondRequestWaitsForTheFirst(ContractMachine machine) {
    DmaContext device = machine.device(0);
    machine.mapFrames(0, 0, 3);
    Request first;
    Request second;
    try (Mapping _ = ContractMachine.mapping(device, machine.iova(0), machine.page())) {
      first = machine.model().unmap(0, machine.iova(0), 1);
      second = machine.model().unmap(0, machine.iova(0), 1);
      assertPending(first, "a mapping is held");
      assertPending(second, "a mapping is held");
    }
    assertComplete(first, "the mapping is closed");
    assertComplete(second, "the mapping is closed");
  }

  @DrainCheck
  @Test
  default void asManyAsAGuestCanAskForBehindOneMappingWaitForItAndCompleteOnce() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    machine.map(0, 0, machine.frame(0));
    int asked = machine.model().abilities().outstanding();
    List<Request> requests = new ArrayList<>();
    int noticesBefore = machine.model().notices();
    try (Mapping _ = ContractMachine.mapping(device, machine.iova(0), machine.page())) {
      for (int i = 0; i < asked; i++) {
        requests.add(machine.model().unmap(0, machine.iova(0), 1));
      }
      for (Request request : requests) {
        assertPending(request, "a mapping is held");
      }
    }
    for (Request request : requests) {
      assertComplete(request, "the mapping is closed");
    }
    assertThat(machine.model().notices() - noticesBefore).isBetween(0, asked);
    machine.map(0, 0, machine.frame(3));
    assertThat(machine.leads(device, machine.iova(0), machine.frame(3))).isTrue();
  }

  /// More than fits into any model, from a guest that does not care to be told.
  @DrainCheck(failure = DRAINS)
  @Test
  default void aGuestThatFloodsTheModelBehindOneMappingHasABoundedNumberOfDrainsUnderWay() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    machine.map(0, 0, machine.frame(0));
    int most = machine.model().abilities().drains();
    Invalidator invalidator = machine.model().iommu().invalidator();
    Invalidator.Statistics before = invalidator.statistics();
    try (Mapping _ = ContractMachine.mapping(device, machine.iova(0), machine.page())) {
      for (int i = 0; i < FLOOD; i++) {
        machine.model().flood(0, machine.iova(0));
      }
      assertThat(invalidator.statistics().delayed() - before.delayed())
          .as(DRAINS)
          .isBetween(1L, (long) most);
    }
    assertThat(invalidator.statistics().drains() - before.drains())
        .as("drains in all: what had no place was forgotten, or is done together")
        .isBetween(1L, 2L * most);
    assertComplete(machine.model().reset(), "nothing is under way");
    machine.map(0, 0, machine.frame(3));
    assertThat(machine.leads(device, machine.iova(0), machine.frame(3))).isTrue();
  }

  // --- who does not let go

  @Test
  default void aMappingOfAnImpatientContextIsTakenAwayAndTheInvalidationIsComplete() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    device.revocation(Revocation.immediately());
    machine.mapFrames(0, 0, 3);
    for (int pages : List.of(1, 2)) {
      Mapping held =
          ContractMachine.mapping(device, machine.iova(0), (long) pages * machine.page());
      assertComplete(machine.model().unmap(0, machine.iova(0), 1), "nothing may be held");
      assertThat(held.isLive()).isFalse();
      assertThatExceptionOfType(MappingRevokedException.class)
          .isThrownBy(() -> held.fill(0, 8, (byte) 0x55));
      assertThat(machine.memory().isAll(machine.frame(0), machine.page(), (byte) 0)).isTrue();
      held.close();
      machine.map(0, 0, machine.frame(0));
    }
    assertThat(machine.model().iommu().invalidator().statistics().revocations()).isEqualTo(2);
  }

  @Test
  default void aMappingIsTakenAwayAtItsDeadlineAndTheKernelsInputIsWaitedForEvenThen() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    device.revocation(Revocation.after(Duration.ofMillis(1)));
    machine.mapFrames(0, 0, 3);
    Request request;
    Mapping held = ContractMachine.mapping(device, machine.iova(0), machine.page());
    request = machine.model().unmap(0, machine.iova(0), 1);
    ContractMachine.await(request);
    assertThatExceptionOfType(MappingRevokedException.class)
        .isThrownBy(() -> held.fill(0, 8, (byte) 0x55));
    assertThat(machine.memory().isAll(machine.frame(0), machine.page(), (byte) 0)).isTrue();
    held.close();

    device.revocation(Revocation.immediately());
    machine.map(0, 0, machine.frame(0));
    try (Way.UnderWay _ = Way.KERNEL_INPUT.begin(machine, device)) {
      request = machine.model().unmap(0, machine.iova(0), 1);
      assertPending(request, "the kernel has the page");
    }
    assertComplete(request, "the kernel has let go");
  }

  // --- what is not waited for

  @Test
  default void aBounceMappingIsNotWaitedForAndIsWrittenBackByTheTablesOfItsEnd() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    machine.map(0, 0, machine.frame(4));
    machine.map(0, 1, machine.frame(2));
    WholeResult result = device.mapWhole(machine.iova(0), 2L * machine.page(), Access.READ_WRITE);
    assertThat(result).isInstanceOf(MappedMemory.class).isNotInstanceOf(Mapping.class);
    try (MappedMemory bounce = (MappedMemory) result) {
      bounce.fill(0, bounce.length(), (byte) 0x66);
      assertComplete(machine.model().unmap(0, machine.iova(1), 1), "a copy is nothing to wait for");
      TargetAbort refused = bounce.unmap();
      assertThat(refused).isNotNull();
      assertThat(refused.iova()).isEqualTo(machine.iova(1));
    }
    assertThat(machine.memory().isAll(machine.frame(4), machine.page(), (byte) 0x66)).isTrue();
    assertThat(machine.memory().isAll(machine.frame(2), machine.page(), (byte) 0)).isTrue();
    assertThat(machine.model().takeFaults())
        .containsExactly(new FaultReport(machine.iova(1), true));
  }

  // --- walks, resets, rubbish

  /// One thread walks all the time, as each invalidation leaves it nothing cached. The order is
  /// left to chance here, which finds no mistake of nanoseconds.
  @Test
  default void aWalkThatRacesAnInvalidationLeavesNothingBehind() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    machine.map(0, 0, machine.frame(0));
    Gate begin = new Gate();
    AtomicBoolean enough = new AtomicBoolean();
    Running walker =
        Running.start(() -> {
          begin.pass();
          while (!enough.get()) {
            device.check(machine.iova(0), 8, Access.READ_WRITE);
          }
        });
    begin.awaitArrival();
    begin.open();
    try {
      for (int i = 1; i <= 500; i++) {
        long frame = machine.frame(i % 2);
        ContractMachine.await(machine.model().remap(0, machine.iova(0), frame));
        assertThat(machine.leads(device, machine.iova(0), frame)).as("remapping %d", i).isTrue();
      }
    } finally {
      enough.set(true);
    }
    walker.join();
  }

  @DrainCheck
  @Test
  default void aResetWithAMappingHeldForgetsTheTablesAndIsCompleteWhenItIsClosed() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    machine.mapFrames(0, 0, 2);
    Request reset;
    try (Mapping _ = ContractMachine.mapping(device, machine.iova(0), machine.page())) {
      machine.model().unmap(0, machine.iova(0), 1);
      reset = machine.model().reset();
      assertPending(reset, "a mapping from before is held");
      assertThat(machine.isRefused(device, machine.iova(1))).isTrue();
    }
    assertComplete(reset, "the mapping is closed");
    machine.map(0, 0, machine.frame(5));
    assertThat(machine.leads(device, machine.iova(0), machine.frame(5))).isTrue();
    try (Mapping _ = ContractMachine.mapping(device, machine.iova(0), machine.page())) {
      assertPending(machine.model().unmap(0, machine.iova(0), 1), "a mapping is held");
    }
  }

  @Test
  default void aDeviceWhoseRefusalsNeverEndLeavesABoundedNumberOfReports() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    for (int i = 0; i < 1000; i++) {
      assertThat(device.fill(machine.iova(i % 4), 8, (byte) 1)).isNotNull();
    }
    assertThat(machine.model().takeFaults().size())
        .isBetween(1, machine.model().abilities().faultRecords());
    assertThat(device.fill(machine.iova(3), 8, (byte) 1)).isNotNull();
    assertThat(machine.model().takeFaults())
        .containsExactly(new FaultReport(machine.iova(3), true));
  }

  @Test
  default void rubbishInTheGuestsTablesNeitherThrowsNorHangs() {
    SplittableRandom random = new SplittableRandom(20120509);
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    machine.mapFrames(0, 0, 4);
    for (int round = 0; round < 50; round++) {
      machine.model().scribble(random);
      for (int i = 0; i < 40; i++) {
        long iova =
            switch (random.nextInt(3)) {
              case 0 -> machine.iova(random.nextInt(8)) + random.nextInt(machine.page());
              case 1 -> random.nextLong(1L << 32);
              default -> random.nextLong();
            };
        long length = 1 + random.nextLong(3L * machine.page());
        TargetAbort abort = device.check(iova, length, Access.READ_WRITE);
        assertThat(abort == null || abort.bytesMoved() < length).isTrue();
        if (device.map(iova, length, Access.READ) instanceof Mapping mapping) {
          mapping.close();
        }
      }
    }
    assertThat(device.endpoint().holdCount()).isZero();
  }
}
