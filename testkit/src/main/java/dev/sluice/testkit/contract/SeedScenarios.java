package dev.sluice.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.Mapping;
import dev.sluice.dma.MappingRevokedException;
import dev.sluice.dma.TargetAbort;
import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.Revocation;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// What the review of 2012 asked about, scene by scene: a guest takes pages away from a device that
/// uses them, and gives them to somebody else as soon as it may.
interface SeedScenarios extends ContractSubject {
  /// Both finish the same way: the old kernel's translations go while nobody has stopped its
  /// devices.
  @DrainCheck(failure = NewOwner.OVERWRITTEN)
  @Test
  default void kexecOrADyingDriverClearsAllTranslationsWhileADeviceRuns() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    machine.mapFrames(0, 0, 4);
    NewOwner next =
        new NewOwner(
            machine, machine.frame(0), machine.frame(1), machine.frame(2), machine.frame(3));
    Mapping inFlight = ContractMachine.mapping(device, machine.iova(0), 4L * machine.page());
    boolean everything = machine.model().abilities().widths().contains(Width.EVERYTHING);
    Request cleared = machine.model().clear(everything ? Width.EVERYTHING : Width.DOMAIN, 0);
    next.takeOverIfComplete(cleared);

    inFlight.fill(0, inFlight.length(), (byte) 0x11);
    for (int i = 0; i < 12; i++) {
      TargetAbort abort = device.fill(machine.iova(i % 4), 64, (byte) 0x22);
      assertThat(abort).as("the device's next transfer").isNotNull();
      assertThat(abort.reason()).isNotEqualTo(AbortReason.BUS_MASTER_OFF);
    }
    next.takeOverIfComplete(cleared);
    inFlight.close();
    next.takeOverIfComplete(cleared);

    device.busMaster(false);
    assertThat(device.fill(machine.iova(0), 64, (byte) 0x33))
        .extracting(TargetAbort::reason)
        .isEqualTo(AbortReason.BUS_MASTER_OFF);
    next.assertUntouched();
  }

  /// The device has a thread of its own here, and never pauses.
  @DrainCheck
  @Test
  default void kexecClearsAllTranslationsUnderADeviceThatNeverPauses() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    machine.mapFrames(0, 0, 4);
    NewOwner next =
        new NewOwner(
            machine, machine.frame(0), machine.frame(1), machine.frame(2), machine.frame(3));
    boolean everything = machine.model().abilities().widths().contains(Width.EVERYTHING);
    try (BusyDevice busy = BusyDevice.start(device, machine.iova(1), 3L * machine.page())) {
      busy.awaitMoved(3);
      Request cleared;
      try (Mapping _ = ContractMachine.mapping(device, machine.iova(0), machine.page())) {
        cleared = machine.model().clear(everything ? Width.EVERYTHING : Width.DOMAIN, 0);
        assertPending(cleared, "the device has its ring mapped");
      }
      ContractMachine.await(cleared);
      next.takeOverIfComplete(cleared);
      busy.awaitRefused(100);
    }
    next.assertUntouched();
    // The transfer that was under way may have come as far as the second page, or the third.
    assertThat(machine.model().takeFaults())
        .isNotEmpty()
        .isSubsetOf(
            new FaultReport(machine.iova(1), true),
            new FaultReport(machine.iova(2), true),
            new FaultReport(machine.iova(3), true));
    assertThat(machine.model().takeFaults()).as("after the device has stopped").isEmpty();
  }

  @DrainCheck(failure = NewOwner.OVERWRITTEN)
  @Test
  default void aGuestEndsItselfDuringALongTransferAndItsPagesAreUsedAgain() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    machine.map(0, 0, machine.messagePage(0));
    machine.mapFrames(0, 1, 3);
    NewOwner next =
        new NewOwner(
            machine, machine.messagePage(0), machine.frame(1), machine.frame(2), machine.frame(3));
    Gate gate = new Gate();
    machine.memory().port().stopNext(gate);
    AtomicReference<@Nullable TargetAbort> end = new AtomicReference<>();
    Running transfer =
        Running.start(
            () -> end.set(device.fill(machine.iova(0), 4L * machine.page(), (byte) 0x11)));
    Request ended;
    try (Way.UnderWay _ = transfer.untilOpened(gate)) {
      ended = machine.model().reset();
      next.takeOverIfComplete(ended);
    }
    next.takeOverIfComplete(ended);
    next.assertUntouched();
    assertThat(end.get())
        .as("the rest of the transfer, which went by the tables of the next guest")
        .isNotNull()
        .extracting(TargetAbort::bytesMoved)
        .isEqualTo((long) machine.page());
  }

  @DrainCheck(failure = NewOwner.OVERWRITTEN)
  @Test
  default void aGuestEndsItselfWhileTheKernelReadsADiskIntoItsPages() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    machine.mapFrames(0, 0, Way.PAGES);
    NewOwner next = new NewOwner(machine, machine.frame(0));
    Request ended;
    try (Way.UnderWay _ = Way.KERNEL_INPUT.begin(machine, device)) {
      ended = machine.model().reset();
      next.takeOverIfComplete(ended);
    }
    next.takeOverIfComplete(ended);
    next.assertUntouched();
  }

  @DrainCheck
  @Test
  default void aMapIsHeldForMillisecondsAndTheOneWhoInvalidatesItsRangeIsNotBlocked() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    DmaContext beside = machine.device(0);
    machine.mapFrames(0, 0, 4);
    int noticesBefore = machine.model().notices();
    Gate gate = new Gate();
    Running holder =
        Running.start(() -> {
          try (Mapping held =
              ContractMachine.mapping(device, machine.iova(0), 2L * machine.page())) {
            gate.pass();
            held.fill(0, held.length(), (byte) 0x11);
          }
        });
    Request request;
    try (Way.UnderWay _ = holder.untilOpened(gate)) {
      // Returns although the holder waits for what comes after it.
      request = machine.model().unmap(0, machine.iova(0), 2);
      assertPending(request, "the map is held");
      for (int i = 2; i < 4; i++) {
        assertThat(machine.leads(device, machine.iova(i), machine.frame(i))).isTrue();
        assertThat(machine.leads(beside, machine.iova(i), machine.frame(i))).isTrue();
      }
      assertThat(machine.isRefused(beside, machine.iova(0))).isTrue();
      assertPending(request, "the map is held still");
    }
    assertComplete(request, "the map is given back");
    assertComplete(request, "it stays complete");
    assertThat(machine.model().notices() - noticesBefore)
        .isEqualTo(machine.model().abilities().notice() == Notice.POLLED ? 0 : 1);
  }

  /// A bit that is polled, an interrupt, or a processor that goes on.
  @DrainCheck
  @Test
  default void aFlushTellsItsEndTheWayItsArchitectureDoesAndNotBefore() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    machine.mapFrames(0, 0, 2);
    for (int i = 0; i < 3; i++) {
      int noticesBefore = machine.model().notices();
      Request request;
      try (Mapping _ = ContractMachine.mapping(device, machine.iova(0), machine.page())) {
        request = machine.model().remap(0, machine.iova(0), machine.frame(1 + i));
        for (int polls = 0; polls < 100; polls++) {
          assertPending(request, "a mapping is held");
        }
        assertThat(machine.model().notices()).isEqualTo(noticesBefore);
      }
      int notices = machine.model().notices() - noticesBefore;
      switch (machine.model().abilities().notice()) {
        case POLLED -> assertThat(notices).as("interrupts").isZero();
        case INTERRUPT -> assertThat(notices).as("interrupts").isEqualTo(1);
        case RESUMED_PROCESSOR -> assertThat(notices).as("processors resumed").isEqualTo(1);
      }
      assertComplete(request, "the mapping is closed");
    }
  }

  @DrainCheck(failure = NewOwner.OVERWRITTEN)
  @Test
  default void aDeviceThatNeverUnmapsIsRevokedAtItsDeadline() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    device.revocation(Revocation.after(Duration.ofMillis(1)));
    machine.mapFrames(0, 0, 2);
    NewOwner next = new NewOwner(machine, machine.frame(0), machine.frame(1));
    Mapping never = ContractMachine.mapping(device, machine.iova(0), 2L * machine.page());
    Request request = machine.model().unmap(0, machine.iova(0), 2);
    ContractMachine.await(request);
    next.takeOverIfComplete(request);
    boolean live = never.isLive();
    if (live) {
      never.fill(0, never.length(), (byte) 0x11);
    }
    next.assertUntouched();
    assertThatExceptionOfType(MappingRevokedException.class)
        .isThrownBy(() -> never.fill(0, never.length(), (byte) 0x11));
    next.assertUntouched();
    assertThat(live).isFalse();
    assertThat(machine.model().iommu().invalidator().statistics().revocations()).isEqualTo(1);
    never.close();
  }

  @DrainCheck
  @Test
  default void aPatientDeviceKeepsTheMappingThatAnotherLosesAtItsDeadline() {
    ContractMachine machine = machine();
    DmaContext careless = machine.device(0);
    careless.revocation(Revocation.after(Duration.ofMillis(1)));
    DmaContext patient = machine.device(0);
    machine.mapFrames(0, 0, 1);
    Mapping never = ContractMachine.mapping(careless, machine.iova(0), machine.page());
    Request request;
    try (Mapping held = ContractMachine.mapping(patient, machine.iova(0), machine.page())) {
      request = machine.model().unmap(0, machine.iova(0), 1);
      assertPending(request, "both have the page mapped");
      ContractMachine.await(() -> !never.isLive());
      assertThat(held.isLive()).isTrue();
      assertPending(request, "the patient one has the page mapped");
    }
    ContractMachine.await(request);
    never.close();
  }

  /// Each of the two waits for the map: the one of 2012 overwrote the other's waiter.
  @DrainCheck(failure = NewOwner.OVERWRITTEN)
  @Test
  default void twoOverlappingInvalidationsOverOneMapBothEndAndNeitherBefore() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    machine.mapFrames(0, 0, 3);
    NewOwner first = new NewOwner(machine, machine.frame(0));
    NewOwner second = new NewOwner(machine, machine.frame(2));
    Mapping held = ContractMachine.mapping(device, machine.iova(0), 3L * machine.page());
    Request one = machine.model().unmap(0, machine.iova(0), 2);
    boolean several = machine.model().abilities().outstanding() > 1;
    // Where one register takes one request at a time, the second is asked for after the first.
    Request other = several ? machine.model().unmap(0, machine.iova(1), 2) : one;
    first.takeOverIfComplete(one);
    second.takeOverIfComplete(other);
    held.fill(0, held.length(), (byte) 0x11);
    held.close();
    first.takeOverIfComplete(one);
    if (!several) {
      other = machine.model().unmap(0, machine.iova(1), 2);
    }
    second.takeOverIfComplete(other);
    first.assertUntouched();
    second.assertUntouched();
  }
}
