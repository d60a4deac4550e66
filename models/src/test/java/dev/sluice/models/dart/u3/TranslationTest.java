package dev.sluice.models.dart.u3;

import static dev.sluice.models.dart.u3.DartMachine.CNTL;
import static dev.sluice.models.dart.u3.DartMachine.TABLE;
import static dev.sluice.models.dart.u3.DartMachine.U3_ENABLE;
import static dev.sluice.models.dart.u3.DartMachine.U3_EXCP;
import static dev.sluice.models.dart.u3.DartMachine.U4_BASE;
import static dev.sluice.models.dart.u3.DartMachine.U4_ENABLE;
import static dev.sluice.models.dart.u3.DartMachine.U4_EXCP;
import static dev.sluice.models.dart.u3.DartMachine.U4_IONE;
import static dev.sluice.models.dart.u3.DartMachine.U4_SIZE;
import static dev.sluice.models.dart.u3.DartMachine.VALID;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.MapResult;
import dev.sluice.dma.Mapping;
import dev.sluice.dma.TargetAbort;
import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.RamRegion;
import dev.sluice.memory.Word;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TranslationTest {
  private static final long BYPASS = 0x80_0000_0000L;

  private static DartMachine machine(Bridge bridge) {
    return new DartMachine(bridge == Bridge.U3 ? U3DartConfig.U3 : U3DartConfig.U4);
  }

  @ParameterizedTest
  @EnumSource
  void addressesAreGuestPhysicalWhileItIsDisabled(Bridge bridge) {
    try (DartMachine machine = machine(bridge)) {
      assertThat(machine.leadsTo(machine.device, 0x12_3000)).isEqualTo(0x12_3000);
      assertThat(machine.device.fill(DartMachine.MEMORY_BYTES, 1, (byte) 0))
          .extracting(TargetAbort::reason)
          .isEqualTo(AbortReason.NO_MEMORY);
      assertThat(machine.faults).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource
  void anEntryLeadsToItsPageForReadsAndWrites(Bridge bridge) {
    try (DartMachine machine = machine(bridge).enabled(1)) {
      machine.map(0x5000, 0x8_0000);
      assertThat(machine.leadsTo(machine.device, 0x5000)).isEqualTo(0x8_0000);
      for (Access access : Access.values()) {
        assertThat(machine.device.check(0x5000, 4096, access)).isNull();
      }
    }
  }

  @Test
  void theOtherBitsOfAnEntryDoNotCount() {
    try (DartMachine machine = DartMachine.u4().enabled(1)) {
      machine.entry(0x5000, 0xFF00_0080L);
      assertThat(machine.leadsTo(machine.device, 0x5000)).isEqualTo(0x8_0000);
      machine.entry(0x6000, 0x7F00_0080L);
      assertThat(machine.leadsTo(machine.device, 0x6000)).isEqualTo(-1);
    }
  }

  @Test
  void anEntryIsBigEndian() {
    try (DartMachine machine = DartMachine.u3().enabled(1)) {
      byte[] bytes = {(byte) 0x80, 0, 0, (byte) 0x81};
      for (int i = 0; i < 4; i++) {
        assertThat(machine.memory.store(TABLE + 5 * 4 + i, 1, ByteOrder.BIG_ENDIAN, bytes[i]))
            .isEqualTo(MemoryStatus.OK);
      }
      assertThat(machine.leadsTo(machine.device, 0x5000)).isEqualTo(0x8_1000);
    }
  }

  @Test
  void anEntryReaches36Bits() {
    try (DartMachine machine = DartMachine.u4().enabled(1)) {
      machine.entry(0x5000, VALID | 0xFF_FFFFL);
      assertThat(machine.device.fill(0x5000, 1, (byte) 0))
          .extracting(TargetAbort::reason)
          .isEqualTo(AbortReason.NO_MEMORY);
    }
  }

  @Test
  void thePagesOfOneAccessNeedNotBeNeighbours() {
    try (DartMachine machine = DartMachine.u3().enabled(1)) {
      machine.map(0x5000, 0x9_0000);
      machine.map(0x6000, 0x8_0000);
      assertThat(machine.device.fill(0x5FFC, 8, (byte) 7)).isNull();
      assertThat(machine.load(0x9_0FF8)).isEqualTo(0x0707_0707_0000_0000L);
      assertThat(machine.load(0x8_0000)).isEqualTo(0x0707_0707L);
    }
  }

  @Test
  void aMappingRunsOverPagesThatAreNeighbours() {
    try (DartMachine machine = DartMachine.u3().enabled(1)) {
      machine.map(0x5000, 0x8_0000);
      machine.map(0x6000, 0x8_1000);
      machine.map(0x7000, 0xA_0000);
      MapResult result = machine.device.map(0x5000, 3 * 4096, Access.READ);
      assertThat(result).isInstanceOf(Mapping.class);
      try (Mapping mapping = (Mapping) result) {
        assertThat(mapping.length()).isEqualTo(2 * 4096);
      }
    }
  }

  @Test
  void allRequestersHaveTheSameTable() {
    try (DartMachine machine = DartMachine.u3().enabled(1)) {
      machine.map(0x5000, 0x8_0000);
      DmaContext other = machine.attach(RequesterId.of(1, 2, 3));
      assertThat(machine.leadsTo(machine.device, 0x5000)).isEqualTo(0x8_0000);
      assertThat(machine.leadsTo(other, 0x5000)).isEqualTo(0x8_0000);
    }
  }

  @ParameterizedTest
  @EnumSource
  void anInvalidEntryIsAnException(Bridge bridge) {
    try (DartMachine machine = machine(bridge).enabled(1)) {
      TargetAbort abort = machine.device.fill(0x7123, 4, (byte) 1);
      assertThat(abort).isNotNull();
      assertThat(abort.reason()).isEqualTo(AbortReason.NOT_MAPPED);
      assertThat(abort.faultCode()).isEqualTo(1);
      assertThat(machine.faults).isEqualTo(1);
      long source = bridge == Bridge.U3 ? 0x8000_0000L : 0;
      int register = bridge == Bridge.U3 ? U3_EXCP : U4_EXCP;
      assertThat(machine.read(register)).isEqualTo(source | 0x7 << 4 | 8 | 1);
      machine.device.load(0x8000, 4, ByteOrder.BIG_ENDIAN, new Word());
      assertThat(machine.read(register)).as("the latest").isEqualTo(source | 0x8 << 4 | 1);
      machine.write(register, 0x1234);
      assertThat(machine.read(register)).isZero();
      assertThat(machine.iommu.statistics().exceptions()).isEqualTo(2);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aCheckIsNoException(Bridge bridge) {
    try (DartMachine machine = machine(bridge).enabled(1)) {
      assertThat(machine.device.check(0x7000, 4, Access.READ)).isNotNull();
      assertThat(machine.faults).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource
  void anAddressBeyondTheTableIsOutOfBounds(Bridge bridge) {
    try (DartMachine machine = machine(bridge).enabled(2)) {
      long last = (2 << 22) - 4096;
      machine.map(last, 0x8_0000);
      machine.map(last + 4096, 0x8_0000);
      assertThat(machine.leadsTo(machine.device, last)).isEqualTo(0x8_0000);
      for (long beyond : new long[] {last + 4096, 1L << 32, BYPASS - 4096, 1L << 40, -4096}) {
        TargetAbort abort = machine.device.fill(beyond, 1, (byte) 0);
        assertThat(abort).as("0x%x", beyond).isNotNull();
        assertThat(abort.reason()).isEqualTo(AbortReason.ADDRESS_WIDTH);
        assertThat(abort.faultCode()).isZero();
      }
      TargetAbort across = machine.device.fill(last + 4090, 10, (byte) 3);
      assertThat(across).isNotNull();
      assertThat(across.bytesMoved()).isEqualTo(6);
    }
  }

  @Test
  void aU3TableOfSize0HasTheLargestSize() {
    try (DartMachine machine = DartMachine.u3().enabled(0)) {
      machine.map(0x7FFF_F000L, 0x8_0000);
      assertThat(machine.leadsTo(machine.device, 0x7FFF_F000L)).isEqualTo(0x8_0000);
      assertThat(machine.device.fill(0x8000_0000L, 1, (byte) 0)).isNotNull();
    }
  }

  @Test
  void aU4TableOfSize0HasNoEntries() {
    try (DartMachine machine = DartMachine.u4().enabled(0)) {
      machine.map(0, 0x8_0000);
      assertThat(machine.leadsTo(machine.device, 0)).isEqualTo(-1);
    }
  }

  @Test
  void aTableWithoutMemoryIsAnAddressingException() {
    try (DartMachine machine = DartMachine.u3()) {
      machine.write(CNTL, 0xFFFF_F000L | U3_ENABLE | 1);
      TargetAbort abort = machine.device.fill(0x5000, 1, (byte) 0);
      assertThat(abort).isNotNull();
      assertThat(abort.reason()).isEqualTo(AbortReason.BAD_TABLE);
      assertThat(abort.faultCode()).isEqualTo(4);
    }
  }

  @Test
  void aU4TableMayLieAnywhereIn36Bits() {
    try (DartMachine machine = DartMachine.u4()) {
      machine.memory.addRam(0xF_0000_0000L, RamRegion.allocate(1 << 16));
      machine.write(U4_BASE, 0xF0_0000);
      machine.write(U4_SIZE, 1);
      machine.write(CNTL, U4_ENABLE);
      machine.memory.store(0xF_0000_0000L + 5 * 4, 4, ByteOrder.BIG_ENDIAN, VALID | 0x80);
      assertThat(machine.leadsTo(machine.device, 0x5000)).isEqualTo(0x8_0000);
      machine.memory.remove(0xF_0000_0000L, 0xF_0000_FFFFL, () -> {});
    }
  }

  @Test
  void thePcieDevicesOfAU4GoPastTheTable() {
    RequesterId behindHt = RequesterId.of(0, 6, 0);
    try (DartMachine machine =
        new DartMachine(U3DartConfig.U4.withOnPciExpress(id -> !id.equals(behindHt)))) {
      DmaContext other = machine.attach(behindHt);
      for (int i = 0; i < 2; i++) {
        assertThat(machine.leadsTo(machine.device, BYPASS + 0x12_3000)).isEqualTo(0x12_3000);
        assertThat(machine.leadsTo(other, BYPASS + 0x12_3000)).isEqualTo(-1);
        machine.map(0x5000, 0x8_0000);
        machine.enabled(1);
      }
      assertThat(machine.leadsTo(machine.device, 0x5000)).isEqualTo(0x8_0000);
      assertThat(machine.leadsTo(machine.device, BYPASS + 0x12_3000)).isEqualTo(0x12_3000);
      assertThat(machine.leadsTo(other, 0x5000)).isEqualTo(0x8_0000);
      assertThat(machine.leadsTo(machine.device, 2 * BYPASS)).isEqualTo(-1);
    }
  }

  @Test
  void aU3HasNoWayPastTheTable() {
    try (DartMachine machine =
        new DartMachine(U3DartConfig.U3.withOnPciExpress(_ -> true)).enabled(1)) {
      assertThat(machine.leadsTo(machine.device, BYPASS)).isEqualTo(-1);
    }
  }

  @ParameterizedTest
  @EnumSource
  void anEntryStaysInTheTlbUntilItIsFlushed(Bridge bridge) {
    try (DartMachine machine = machine(bridge).enabled(1)) {
      machine.map(0x5000, 0x8_0000);
      assertThat(machine.leadsTo(machine.device, 0x5000)).isEqualTo(0x8_0000);
      machine.map(0x5000, 0x9_0000);
      assertThat(machine.leadsTo(machine.device, 0x5000)).as("stale").isEqualTo(0x8_0000);
      machine.flush();
      assertThat(machine.isFlushing()).isFalse();
      assertThat(machine.leadsTo(machine.device, 0x5000)).isEqualTo(0x9_0000);
    }
  }

  @Test
  void aU4InvalidatesOnePageAndNoOther() {
    try (DartMachine machine = DartMachine.u4().enabled(1)) {
      for (long page = 4; page <= 6; page++) {
        machine.map(page << 12, 0x8_0000);
        assertThat(machine.leadsTo(machine.device, page << 12)).isEqualTo(0x8_0000);
        machine.map(page << 12, 0x9_0000);
      }
      machine.write(CNTL, U4_ENABLE | U4_IONE | 5);
      assertThat(machine.read(CNTL) & U4_IONE).isZero();
      assertThat(machine.leadsTo(machine.device, 0x4000)).isEqualTo(0x8_0000);
      assertThat(machine.leadsTo(machine.device, 0x5000)).isEqualTo(0x9_0000);
      assertThat(machine.leadsTo(machine.device, 0x6000)).isEqualTo(0x8_0000);
      assertThat(machine.iommu.statistics().pages()).isEqualTo(1);
      assertThat(machine.iommu.statistics().flushes()).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource
  void theTlbOutlivesASwitchOffAndOn(Bridge bridge) {
    try (DartMachine machine = machine(bridge).enabled(1)) {
      machine.map(0x5000, 0x8_0000);
      assertThat(machine.leadsTo(machine.device, 0x5000)).isEqualTo(0x8_0000);
      machine.write(CNTL, 0);
      assertThat(machine.leadsTo(machine.device, 0x5000)).isEqualTo(0x5000);
      machine.map(0x5000, 0x9_0000);
      machine.enabled(1);
      assertThat(machine.leadsTo(machine.device, 0x5000)).isEqualTo(0x8_0000);
      machine.flush();
      assertThat(machine.leadsTo(machine.device, 0x5000)).isEqualTo(0x9_0000);
    }
  }
}
