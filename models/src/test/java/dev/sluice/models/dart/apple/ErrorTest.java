package dev.sluice.models.dart.apple;

import static dev.sluice.models.dart.apple.DartMachine.FLAG;
import static dev.sluice.models.dart.apple.DartMachine.STREAM;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.sluice.dma.DmaContext;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ErrorTest {
  private static long expected(DartMachine machine, int stream) {
    return machine.isT8110() ? FLAG | 1 << 28 | stream << 20 | 1 : FLAG | stream << 24 | 1;
  }

  @ParameterizedTest
  @EnumSource
  void theFirstErrorStaysUntilItIsWrittenBack(DartType type) {
    try (DartMachine machine = DartMachine.of(type)) {
      assertThat(machine.device.fill(0x8_1234_5678L, 1, (byte) 0)).isNotNull();
      assertThat(machine.interrupts).containsExactly(true);
      long error = machine.read(machine.errorRegister());
      assertThat(error).isEqualTo(expected(machine, STREAM));
      assertThat(machine.errorAddress()).isEqualTo(0x8_1234_5678L);

      assertThat(machine.attach(5).fill(0x1000, 1, (byte) 0)).isNotNull();
      assertThat(machine.read(machine.errorRegister())).isEqualTo(error);
      assertThat(machine.errorAddress()).isEqualTo(0x8_1234_5678L);
      assertThat(machine.iommu.statistics().errorsLost()).isEqualTo(1);

      machine.write(machine.errorRegister(), 0);
      assertThat(machine.read(machine.errorRegister())).isEqualTo(error);
      machine.write(machine.errorRegister(), error);
      assertThat(machine.read(machine.errorRegister())).isZero();
      assertThat(machine.interrupts).containsExactly(true, false);

      assertThat(machine.attach(5).fill(0x1000, 1, (byte) 0)).isNotNull();
      assertThat(machine.read(machine.errorRegister())).isEqualTo(expected(machine, 5));
      assertThat(machine.interrupts).containsExactly(true, false, true);
      machine.iommu.reset(() -> {});
      assertThat(machine.interrupts).containsExactly(true, false, true, false);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aCheckIsNoError(DartType type) {
    try (DartMachine machine = DartMachine.of(type)) {
      assertThat(machine.device.check(0x4000, 1, Access.READ)).isNotNull();
      assertThat(machine.read(machine.errorRegister())).isZero();
      assertThat(machine.interrupts).isEmpty();
    }
  }

  @Test
  void aT8110MasksErrorsAndRemembersStreams() {
    try (DartMachine machine = DartMachine.of(DartType.T8110)) {
      machine.write(DartMachine.T8110_ERROR_MASK, 1);
      assertThat(machine.device.fill(0x4000, 1, (byte) 0)).isNotNull();
      assertThat(machine.attach(5).fill(0x4000, 1, (byte) 0)).isNotNull();
      assertThat(machine.interrupts).isEmpty();
      machine.write(DartMachine.T8110_ERROR_MASK, 0);
      assertThat(machine.interrupts).containsExactly(true);
      machine.write(DartMachine.T8110_ERROR_MASK, FLAG);
      assertThat(machine.interrupts).containsExactly(true, false);
      assertThat(machine.read(0x1C0)).isEqualTo(1 << STREAM | 1 << 5);
      machine.write(0x1C0, 1 << STREAM);
      assertThat(machine.read(0x1C0)).isEqualTo(1 << 5);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aHandlerMayRunOnTheThreadOfTheLine(DartType type) {
    GuestMemory memory = new GuestMemory();
    AppleDartIommu[] iommu = new AppleDartIommu[1];
    int[] handled = new int[1];
    boolean[] level = new boolean[1];
    int register = type == DartType.T8110 ? DartMachine.T8110_ERROR : DartMachine.ERROR;
    iommu[0] =
        new AppleDartIommu(
            DartMachine.config(type),
            memory,
            asserted -> {
              level[0] = asserted;
              if (asserted) {
                handled[0]++;
                iommu[0].writeRegister(register, 4, iommu[0].readRegister(register, 4));
              }
            });
    try (var device = DmaContext.behind(iommu[0], memory, new RequesterId(STREAM))) {
      for (int i = 1; i <= 3; i++) {
        assertThat(device.fill(0x4000, 1, (byte) 0)).isNotNull();
        assertThat(handled[0]).isEqualTo(i);
        assertThat(level[0]).isFalse();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aLineThatThrowsIsToldTheNextTime(DartType type) {
    GuestMemory memory = new GuestMemory();
    List<Boolean> told = new ArrayList<>();
    AppleDartIommu iommu =
        new AppleDartIommu(
            DartMachine.config(type),
            memory,
            asserted -> {
              told.add(asserted);
              if (told.size() == 1) {
                throw new IllegalStateException("a defect");
              }
            });
    int register = type == DartType.T8110 ? DartMachine.T8110_ERROR : DartMachine.ERROR;
    try (DmaContext device = DmaContext.behind(iommu, memory, new RequesterId(STREAM))) {
      assertThatIllegalStateException().isThrownBy(() -> device.fill(0x4000, 1, (byte) 0));
      iommu.writeRegister(register, 4, iommu.readRegister(register, 4));
      assertThat(device.fill(0x4000, 1, (byte) 0)).isNotNull();
      assertThat(told).containsExactly(true, false, true);
    }
  }
}
