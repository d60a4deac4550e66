package dev.sluice.models.dart.apple;

import static dev.sluice.models.dart.apple.DartMachine.READ_WRITE;
import static dev.sluice.models.dart.apple.DartMachine.STREAM;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.Mapping;
import dev.sluice.dma.MappingRevokedException;
import dev.sluice.iommu.Revocation;
import dev.sluice.models.dart.Outstanding;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What the guest may see of an invalidation while a device still holds what it is about: nothing
/// of its completion.
class DrainTest {
  private static final long A = 0x4000;
  private static final long PAGE = 0x10_0000;
  private static final int OTHER = 4;

  private static DartMachine machine(DartType type) {
    DartMachine machine = DartMachine.of(type);
    machine.map(machine.translated(STREAM), A, PAGE, READ_WRITE);
    machine.map(machine.translated(OTHER), A, PAGE + 0x4000, READ_WRITE);
    machine.invalidate(STREAM);
    return machine;
  }

  @ParameterizedTest
  @EnumSource
  void theBusyBitStaysSetWhileAMappingIsHeld(DartType type) {
    try (DartMachine machine = machine(type)) {
      Mapping mapping = machine.mapping(A, 0x4000);
      machine.invalidate(STREAM);
      assertThat(machine.isBusy()).isTrue();
      mapping.fill(0x2000, 8, (byte) 0x77);
      assertThat(machine.load(PAGE + 0x2000)).isEqualTo(0x7777_7777_7777_7777L);
      mapping.close();
      assertThat(machine.isBusy()).isFalse();
      assertThat(machine.iommu.statistics().drains().delayed()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @EnumSource
  void theOtherStreamsGoOn(DartType type) {
    try (DartMachine machine = machine(type)) {
      DmaContext other = machine.attach(OTHER);
      try (Mapping _ = DartMachine.mapping(other, A, 0x4000)) {
        machine.invalidate(STREAM);
        assertThat(machine.isBusy()).isFalse();
      }
      Mapping mapping = machine.mapping(A, 0x4000);
      machine.invalidate(STREAM);
      assertThat(machine.leads(other, A, PAGE + 0x4000)).isTrue();
      assertThat(machine.leads(machine.device, A, PAGE)).isTrue();
      mapping.close();
    }
  }

  @ParameterizedTest
  @EnumSource
  void anInvalidationDuringAnotherBeginsAtOnceAndKeepsTheBitSet(DartType type) {
    try (DartMachine machine = machine(type)) {
      DmaContext other = machine.attach(OTHER);
      Mapping first = machine.mapping(A, 0x4000);
      machine.invalidate(STREAM);
      assertThat(machine.leads(other, A, PAGE + 0x4000)).isTrue();
      long top = machine.translated(OTHER);
      machine.map(top, A, PAGE + 0x8000, READ_WRITE);
      machine.invalidate(OTHER);
      assertThat(machine.leads(other, A, PAGE + 0x8000)).isTrue();
      Mapping second = DartMachine.mapping(other, A, 0x4000);
      machine.invalidate(OTHER);
      first.close();
      assertThat(machine.isBusy()).isTrue();
      try (Mapping _ = machine.mapping(A, 0x4000)) {
        second.close();
        assertThat(machine.isBusy()).isFalse();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void noNumberOfInvalidationsPilesUpBehindAMapping(DartType type) {
    try (DartMachine machine = machine(type)) {
      long before = machine.iommu.statistics().invalidations();
      Mapping mapping = machine.mapping(A, 0x4000);
      for (int i = 0; i < 10_000; i++) {
        machine.invalidate(STREAM);
      }
      assertThat(machine.iommu.statistics().invalidations() - before)
          .isEqualTo(Outstanding.MAX_UNDER_WAY);
      DmaContext other = machine.attach(OTHER);
      assertThat(machine.leads(other, A, PAGE + 0x4000)).isTrue();
      machine.map(machine.translated(OTHER), A, PAGE + 0x8000, READ_WRITE);
      machine.invalidate(OTHER);
      assertThat(machine.isBusy()).isTrue();
      mapping.close();
      assertThat(machine.isBusy()).isFalse();
      assertThat(machine.leads(other, A, PAGE + 0x8000)).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aBlockedStreamIsBlockedWhateverIsHeld(DartType type) {
    try (DartMachine machine = machine(type)) {
      DmaContext other = machine.attach(OTHER);
      assertThat(machine.leads(other, A, PAGE + 0x4000)).isTrue();
      Mapping mapping = machine.mapping(A, 0x4000);
      for (int i = 0; i < 1000; i++) {
        machine.write(machine.tcr(STREAM), 0);
        machine.write(machine.tcr(STREAM), machine.translate());
      }
      machine.write(machine.tcr(OTHER), 0);
      assertThat(machine.leads(other, A, PAGE + 0x4000)).isFalse();
      mapping.close();
    }
  }

  @ParameterizedTest
  @EnumSource
  void theInvalidationAfterABypassWaitsForBypassedAccesses(DartType type) {
    try (DartMachine machine = machine(type)) {
      machine.write(machine.tcr(STREAM), machine.bypass());
      Mapping bypassed = machine.mapping(0x20_0000, 0x4000);
      machine.write(machine.tcr(STREAM), machine.translate());
      assertThat(machine.leads(machine.device, A, PAGE)).isTrue();
      machine.invalidate(OTHER);
      assertThat(machine.isBusy()).isFalse();
      machine.invalidate(STREAM);
      assertThat(machine.isBusy()).isTrue();
      bypassed.close();
      assertThat(machine.isBusy()).isFalse();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aMappingThatIsNeverGivenBackIsTakenAway(DartType type) {
    try (DartMachine machine = machine(type)) {
      machine.device.revocation(Revocation.immediately());
      Mapping mapping = machine.mapping(A, 0x4000);
      machine.invalidate(STREAM);
      assertThat(machine.isBusy()).isFalse();
      assertThatExceptionOfType(MappingRevokedException.class)
          .isThrownBy(() -> mapping.fill(0, 4, (byte) 1));
      assertThat(machine.iommu.statistics().drains().revocations()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @EnumSource
  void anInvalidationFromBeforeAResetIsNotSeenAfterIt(DartType type) {
    try (DartMachine machine = machine(type)) {
      Mapping old = machine.mapping(A, 0x4000);
      machine.invalidate(STREAM);
      machine.iommu.reset(() -> {});
      assertThat(machine.isBusy()).isFalse();
      machine.map(machine.translated(STREAM), A, PAGE, READ_WRITE);
      Mapping young = machine.mapping(A, 0x4000);
      machine.invalidate(STREAM);
      old.close();
      assertThat(machine.isBusy()).isTrue();
      young.close();
      assertThat(machine.isBusy()).isFalse();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aResetIsDrainedWhenWhatBeganBeforeItIsOver(DartType type) {
    try (DartMachine machine = machine(type)) {
      AtomicInteger drained = new AtomicInteger();
      Mapping old = machine.mapping(A, 0x4000);
      machine.iommu.reset(drained::incrementAndGet);
      assertThat(drained).as("a mapping from before is held").hasValue(0);
      machine.map(machine.translated(STREAM), A, PAGE, READ_WRITE);
      try (Mapping _ = machine.mapping(A, 0x4000)) {
        old.close();
        assertThat(drained).as("only a mapping from after it is held").hasValue(1);
      }
      machine.iommu.reset(drained::incrementAndGet);
      assertThat(drained).as("nothing is held").hasValue(2);
    }
  }
}
