package dev.sluice.models.dart.u3;

import static dev.sluice.models.dart.u3.DartMachine.CNTL;
import static dev.sluice.models.dart.u3.DartMachine.U4_ENABLE;
import static dev.sluice.models.dart.u3.DartMachine.U4_FLUSH;
import static dev.sluice.models.dart.u3.DartMachine.U4_IONE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.sluice.dma.Mapping;
import dev.sluice.dma.MappingRevokedException;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.Access;
import dev.sluice.models.dart.Outstanding;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What the guest may see of a flush while a device still holds what it is about: nothing of its
/// completion.
class DrainTest {
  private static final long A = 0x5000;
  private static final long B = 0x6000;

  private static DartMachine machine(Bridge bridge) {
    DartMachine machine =
        new DartMachine(bridge == Bridge.U3 ? U3DartConfig.U3 : U3DartConfig.U4).enabled(1);
    machine.map(A, 0x8_0000);
    machine.map(B, 0x9_0000);
    return machine;
  }

  @ParameterizedTest
  @EnumSource
  void theFlushBitStaysSetWhileAMappingIsHeld(Bridge bridge) {
    try (DartMachine machine = machine(bridge)) {
      Mapping mapping = machine.mapping(A, 4096);
      machine.flush();
      assertThat(machine.isFlushing()).isTrue();
      mapping.fill(0, 8, (byte) 0x77);
      assertThat(machine.load(0x8_0000)).isEqualTo(0x7777_7777_7777_7777L);
      mapping.close();
      assertThat(machine.isFlushing()).isFalse();
      assertThat(machine.iommu.statistics().drains().delayed()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @EnumSource
  void clearingTheBitAndSettingItAgainTakesNothingBack(Bridge bridge) {
    try (DartMachine machine = machine(bridge)) {
      Mapping mapping = machine.mapping(A, 4096);
      for (int i = 0; i < 4; i++) {
        machine.flush();
        machine.write(CNTL, machine.read(CNTL) & ~machine.flushBit());
        assertThat(machine.isFlushing()).isTrue();
      }
      mapping.close();
      assertThat(machine.isFlushing()).isFalse();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aFlushThatIsAskedForDuringAnotherCountsFromItsOwnBeginning(Bridge bridge) {
    try (DartMachine machine = machine(bridge)) {
      Mapping first = machine.mapping(A, 4096);
      machine.flush();
      Mapping second = machine.mapping(B, 4096);
      machine.flush();
      first.close();
      assertThat(machine.isFlushing()).isTrue();
      try (Mapping _ = machine.mapping(A, 4096)) {
        second.close();
        assertThat(machine.isFlushing()).isFalse();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void noNumberOfFlushesPilesUpBehindAMapping(Bridge bridge) {
    try (DartMachine machine = machine(bridge)) {
      Mapping mapping = machine.mapping(A, 4096);
      for (int i = 0; i < 10_000; i++) {
        machine.flush();
      }
      assertThat(machine.iommu.statistics().flushes()).isEqualTo(Outstanding.MAX_UNDER_WAY);
      machine.map(B, 0xA_0000);
      machine.flush();
      mapping.close();
      assertThat(machine.isFlushing()).isFalse();
      assertThat(machine.leadsTo(machine.device, B)).isEqualTo(0xA_0000);
    }
  }

  @ParameterizedTest
  @EnumSource
  void noNumberOfSwitchesPilesUpBehindAMapping(Bridge bridge) {
    try (DartMachine machine = machine(bridge)) {
      Mapping mapping = machine.mapping(A, 4096);
      for (int i = 0; i < 10_000; i++) {
        machine.write(CNTL, 0);
        machine.enabled(1);
      }
      machine.flush();
      assertThat(machine.isFlushing()).isTrue();
      mapping.close();
      assertThat(machine.isFlushing()).isFalse();
      assertThat(machine.leadsTo(machine.device, B)).isEqualTo(0x9_0000);
    }
  }

  @Test
  void theInvalidationOfAPageWaitsForThatPageAlone() {
    try (DartMachine machine = machine(Bridge.U4)) {
      Mapping mapping = machine.mapping(A, 4096);
      machine.write(CNTL, U4_ENABLE | U4_IONE | B >> 12);
      assertThat(machine.read(CNTL) & U4_IONE).isZero();
      machine.write(CNTL, U4_ENABLE | U4_IONE | A >> 12);
      assertThat(machine.read(CNTL) & U4_IONE).isEqualTo(U4_IONE);
      mapping.close();
      assertThat(machine.read(CNTL) & U4_IONE).isZero();
    }
  }

  @Test
  void eachOfAU4sBitsSaysWhenItsOwnIsDone() {
    try (DartMachine machine = machine(Bridge.U4)) {
      Mapping a = machine.mapping(A, 4096);
      machine.write(CNTL, U4_ENABLE | U4_IONE | A >> 12);
      Mapping b = machine.mapping(B, 4096);
      machine.write(CNTL, (machine.read(CNTL) & ~U4_IONE) | U4_FLUSH);
      assertThat(machine.read(CNTL) & (U4_IONE | U4_FLUSH)).isEqualTo(U4_IONE | U4_FLUSH);
      a.close();
      assertThat(machine.read(CNTL) & (U4_IONE | U4_FLUSH)).isEqualTo(U4_FLUSH);
      b.close();
      assertThat(machine.read(CNTL) & (U4_IONE | U4_FLUSH)).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource
  void theFlushAfterSwitchingItOnWaitsForUntranslatedAccesses(Bridge bridge) {
    try (DartMachine machine = machine(bridge)) {
      machine.write(CNTL, 0);
      Mapping identity = machine.mapping(0x8_0000, 4096);
      machine.enabled(1);
      assertThat(machine.device.check(A, 4096, Access.READ)).isNull();
      assertThat(machine.device.check(0x8_0000, 4096, Access.READ)).isNotNull();
      machine.flush();
      assertThat(machine.isFlushing()).isTrue();
      identity.close();
      assertThat(machine.isFlushing()).isFalse();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aMappingThatIsNeverGivenBackIsTakenAway(Bridge bridge) {
    try (DartMachine machine = machine(bridge)) {
      machine.device.revocation(Revocation.immediately());
      Mapping mapping = machine.mapping(A, 4096);
      machine.flush();
      assertThat(machine.isFlushing()).isFalse();
      assertThatExceptionOfType(MappingRevokedException.class)
          .isThrownBy(() -> mapping.fill(0, 4, (byte) 1));
      assertThat(machine.iommu.statistics().drains().revocations()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aFlushFromBeforeAResetIsNotSeenAfterIt(Bridge bridge) {
    try (DartMachine machine = machine(bridge)) {
      Mapping old = machine.mapping(A, 4096);
      machine.flush();
      machine.iommu.reset(() -> {});
      assertThat(machine.isFlushing()).isFalse();
      machine.enabled(1);
      Mapping young = machine.mapping(A, 4096);
      machine.flush();
      old.close();
      assertThat(machine.isFlushing()).isTrue();
      young.close();
      assertThat(machine.isFlushing()).isFalse();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aResetIsDrainedWhenWhatBeganBeforeItIsOver(Bridge bridge) {
    try (DartMachine machine = machine(bridge)) {
      AtomicInteger drained = new AtomicInteger();
      Mapping old = machine.mapping(A, 4096);
      machine.iommu.reset(drained::incrementAndGet);
      assertThat(drained).as("a mapping from before is held").hasValue(0);
      machine.enabled(1);
      try (Mapping _ = machine.mapping(A, 4096)) {
        old.close();
        assertThat(drained).as("only a mapping from after it is held").hasValue(1);
      }
      machine.iommu.reset(drained::incrementAndGet);
      assertThat(drained).as("nothing is held").hasValue(2);
    }
  }
}
