package dev.sluice.models.dart.u3;

import static dev.sluice.models.dart.u3.DartMachine.CNTL;
import static dev.sluice.models.dart.u3.DartMachine.U3_EXCP;
import static dev.sluice.models.dart.u3.DartMachine.U4_BASE;
import static dev.sluice.models.dart.u3.DartMachine.U4_ENABLE;
import static dev.sluice.models.dart.u3.DartMachine.U4_EXCP;
import static dev.sluice.models.dart.u3.DartMachine.U4_FLUSH;
import static dev.sluice.models.dart.u3.DartMachine.U4_IDLE;
import static dev.sluice.models.dart.u3.DartMachine.U4_IONE;
import static dev.sluice.models.dart.u3.DartMachine.U4_SIZE;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RegistersTest {
  @Test
  void theU3HasOneControlRegister() {
    try (DartMachine machine = DartMachine.u3()) {
      assertThat(machine.read(CNTL)).isZero();
      for (int bit = 0; bit < 32; bit++) {
        machine.write(CNTL, 1L << bit);
        assertThat(machine.read(CNTL)).as("bit %d", bit).isEqualTo(bit == 10 ? 0 : 1L << bit);
      }
      for (int offset = 4; offset < U3DartIommu.REGISTER_BYTES; offset += 4) {
        machine.write(offset, 0xFFFF_FFFFL);
        assertThat(machine.read(offset)).as("0x%x", offset).isZero();
      }
    }
  }

  @Test
  void theU4HasControlBaseAndSize() {
    try (DartMachine machine = DartMachine.u4()) {
      assertThat(machine.read(CNTL)).isEqualTo(U4_IDLE);
      machine.write(CNTL, 0xFFFF_FFFFL);
      assertThat(machine.read(CNTL)).isEqualTo(0xFFFF_FFFFL & ~U4_IONE & ~U4_FLUSH);
      machine.write(CNTL, 0);
      assertThat(machine.read(CNTL)).isEqualTo(U4_IDLE);
      machine.write(U4_BASE, 0xFFFF_FFFFL);
      assertThat(machine.read(U4_BASE)).isEqualTo(0xFF_FFFFL);
      machine.write(U4_SIZE, 0xFFFF_FFFFL);
      assertThat(machine.read(U4_SIZE)).isEqualTo(0x1_FFFFL);
      machine.write(U4_EXCP, 0xFFFF_FFFFL);
      assertThat(machine.read(U4_EXCP)).isZero();
    }
  }

  @Test
  void whatIsNoAlignedWordIsNothing() {
    try (DartMachine machine = DartMachine.u3()) {
      machine.write(CNTL, 0x1234_5000);
      for (int size : new int[] {1, 2, 8}) {
        machine.iommu.writeRegister(CNTL, size, -1);
        assertThat(machine.iommu.readRegister(CNTL, size)).isZero();
      }
      machine.iommu.writeRegister(2, 4, -1);
      assertThat(machine.iommu.readRegister(2, 4)).isZero();
      assertThat(machine.read(CNTL)).isEqualTo(0x1234_5000);
    }
  }

  @Test
  void aResetForgetsEverything() {
    try (DartMachine machine = DartMachine.u3().enabled(1)) {
      machine.map(0x5000, 0x8_0000);
      assertThat(machine.leadsTo(machine.device, 0x5000)).isEqualTo(0x8_0000);
      assertThat(machine.device.fill(0x40_0000, 1, (byte) 0)).isNotNull();
      machine.iommu.reset(() -> {});
      assertThat(machine.read(CNTL)).isZero();
      assertThat(machine.read(U3_EXCP)).isZero();
      assertThat(machine.leadsTo(machine.device, 0x5000)).isEqualTo(0x5000);
      machine.map(0x5000, 0x9_0000);
      machine.enabled(1);
      assertThat(machine.leadsTo(machine.device, 0x5000)).isEqualTo(0x9_0000);
    }
  }

  @Test
  void theU4IsIdleUnlessItInvalidates() {
    try (DartMachine machine = DartMachine.u4().enabled(1)) {
      assertThat(machine.read(CNTL)).isEqualTo(U4_ENABLE | U4_IDLE);
      machine.map(0x5000, 0x8_0000);
      try (var _ = machine.mapping(0x5000, 8)) {
        machine.write(CNTL, U4_ENABLE | U4_IONE | 5);
        assertThat(machine.read(CNTL)).isEqualTo(U4_ENABLE | U4_IONE | 5);
      }
      assertThat(machine.read(CNTL)).isEqualTo(U4_ENABLE | U4_IDLE | 5);
    }
  }
}
