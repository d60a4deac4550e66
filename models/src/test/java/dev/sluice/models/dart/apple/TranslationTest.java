package dev.sluice.models.dart.apple;

import static dev.sluice.models.dart.apple.DartMachine.FLAG;
import static dev.sluice.models.dart.apple.DartMachine.READ_WRITE;
import static dev.sluice.models.dart.apple.DartMachine.STREAM;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.MapResult;
import dev.sluice.dma.Mapping;
import dev.sluice.dma.TargetAbort;
import dev.sluice.iommu.AbortReason;
import dev.sluice.memory.Access;
import dev.sluice.memory.Word;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TranslationTest {
  private static final long A = 0x1_0000_0000L - 0x4000;
  private static final long PAGE = 0x10_0000;

  /// The error code that a refused access left, and clears it.
  private static long code(DartMachine machine) {
    long error = machine.read(machine.errorRegister());
    machine.write(machine.errorRegister(), error);
    assertThat(machine.read(machine.errorRegister())).isZero();
    assertThat(error & FLAG).isEqualTo(FLAG);
    return machine.isT8110() ? error & 0x7FFF : error & 0xFFF;
  }

  private static void assertRefused(
      DartMachine machine, long iova, Access access, AbortReason reason, long code) {
    Word word = new Word();
    TargetAbort abort =
        switch (access) {
          case READ -> machine.device.load(iova, 1, ByteOrder.LITTLE_ENDIAN, word);
          case WRITE -> machine.device.store(iova, 1, ByteOrder.LITTLE_ENDIAN, 1);
          case READ_WRITE -> machine.device.fetchAndAdd(iova, 4, ByteOrder.LITTLE_ENDIAN, 1, word);
        };
    assertThat(abort).isNotNull();
    assertThat(abort.reason()).isEqualTo(reason);
    assertThat((long) abort.faultCode()).isEqualTo(code);
    assertThat(machine.errorAddress()).isEqualTo(iova);
    assertThat(code(machine)).isEqualTo(code);
  }

  @ParameterizedTest
  @EnumSource
  void anEntryLeadsToItsPage(DartType type) {
    try (DartMachine machine = DartMachine.of(type)) {
      long top = machine.translated(STREAM);
      machine.map(top, A, PAGE, READ_WRITE);
      for (int offset : new int[] {0, 1, 0xFFF, 0x1000, 0x2345, 0x3FFF}) {
        assertThat(machine.leads(machine.device, A + offset, PAGE + offset)).isTrue();
      }
      assertThat(machine.device.check(A, 0x4000, Access.READ_WRITE)).isNull();
      assertThat(machine.iommu.statistics().walks()).isEqualTo(1);
      assertThat(machine.device.check(A + 0x4000, 1, Access.READ)).isNotNull();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aMappingRunsOverPagesThatAreNeighbours(DartType type) {
    try (DartMachine machine = DartMachine.of(type)) {
      long top = machine.translated(STREAM);
      machine.map(top, 0x4000, PAGE, READ_WRITE);
      machine.map(top, 0x8000, PAGE + 0x4000, READ_WRITE);
      machine.map(top, 0xC000, PAGE + 0xC000, READ_WRITE);
      MapResult result = machine.device.map(0x4100, 0xBF00, Access.READ);
      assertThat(result).isInstanceOf(Mapping.class);
      try (Mapping mapping = (Mapping) result) {
        assertThat(mapping.length()).isEqualTo(0x7F00);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void readsAndWritesNeedTheirRight(DartType type) {
    boolean t8110 = type == DartType.T8110;
    try (DartMachine machine = DartMachine.of(type)) {
      long top = machine.translated(STREAM);
      machine.map(top, 0x4000, PAGE, machine.noWrite());
      machine.map(top, 0x8000, PAGE, machine.noRead());
      machine.map(top, 0xC000, PAGE, machine.noRead() | machine.noWrite());
      assertThat(machine.device.check(0x4000, 0x4000, Access.READ)).isNull();
      assertThat(machine.device.check(0x8000, 0x4000, Access.WRITE)).isNull();
      long writeFault = t8110 ? 1 << 4 : 1 << 3;
      long readFault = t8110 ? 1 << 5 : 1 << 4;
      for (int i = 0; i < 2; i++) {
        assertRefused(machine, 0x4000, Access.WRITE, AbortReason.NO_WRITE, writeFault);
        assertRefused(machine, 0x4000, Access.READ_WRITE, AbortReason.NO_WRITE, writeFault);
        assertRefused(machine, 0x8000, Access.READ, AbortReason.NO_READ, readFault);
        assertRefused(machine, 0x8000, Access.READ_WRITE, AbortReason.NO_READ, readFault);
        assertRefused(machine, 0xC000, Access.WRITE, AbortReason.NO_WRITE, writeFault);
        assertRefused(machine, 0xC000, Access.READ_WRITE, AbortReason.NO_READ, readFault);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void eachLevelThatIsMissingHasItsError(DartType type) {
    boolean t8110 = type == DartType.T8110;
    try (DartMachine machine = DartMachine.of(type)) {
      assertRefused(machine, 0x4000, Access.READ, AbortReason.BLOCKED, 1);
      machine.write(machine.tcr(STREAM), machine.translate());
      assertRefused(machine, 0x4000, Access.READ, AbortReason.NOT_MAPPED, 1);
      long top = machine.translated(STREAM);
      assertRefused(machine, 0x4000, Access.READ, AbortReason.NOT_MAPPED, t8110 ? 4 : 2);
      machine.map(top, 0x8000, PAGE, READ_WRITE);
      assertRefused(machine, 0x4000, Access.READ, AbortReason.NOT_MAPPED, t8110 ? 8 : 4);
      machine.store(machine.entryAddress(top, 2, 0x4000), machine.field(PAGE));
      assertRefused(machine, 0x4000, Access.READ, AbortReason.NOT_MAPPED, t8110 ? 8 : 4);
      machine.write(machine.ttbr(STREAM, 0), machine.valid(0x1000_0000));
      assertRefused(machine, 0x4000, Access.READ, AbortReason.BAD_TABLE, 0x40);
    }
  }

  @ParameterizedTest
  @EnumSource
  void anAddressBeyondTheInputWidthHasNoTable(DartType type) {
    try (DartMachine machine = DartMachine.of(type)) {
      long top = machine.translated(STREAM);
      machine.map(top, 0x4000, PAGE, READ_WRITE);
      int width = type == DartType.T8110 ? 36 : 32;
      for (int bit = width; bit < 64; bit++) {
        assertRefused(machine, 1L << bit | 0x4000, Access.READ, AbortReason.ADDRESS_WIDTH, 1);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void anEntryBeyondTheOutputWidthIsNone(DartType type) {
    try (DartMachine machine = DartMachine.of(type)) {
      long top = machine.translated(STREAM);
      machine.map(top, 0x4000, PAGE, READ_WRITE);
      long entry = machine.entryAddress(top, 2, 0x4000);
      long plain = machine.load(entry);
      if (type == DartType.T8020) {
        for (int bit = 36; bit < 40; bit++) {
          machine.store(entry, plain | 1L << bit);
          assertRefused(machine, 0x4000, Access.READ, AbortReason.NOT_MAPPED, 4);
        }
      }
      machine.store(entry, plain | 1L << (type == DartType.T8020 ? 35 : 37));
      assertThat(machine.device.fill(0x4000, 1, (byte) 1))
          .extracting(TargetAbort::reason)
          .isEqualTo(AbortReason.NO_MEMORY);
    }
  }

  @Test
  void aT8020OfSmallPagesHasFourTables() {
    try (DartMachine machine = new DartMachine(AppleDartConfig.T8020.withPageShift(12))) {
      machine.write(machine.tcr(STREAM), machine.translate());
      for (int i = 0; i < 4; i++) {
        long top = machine.table();
        machine.write(machine.ttbr(STREAM, i), machine.valid(top));
        long iova = (long) i << 30 | 0x3FFF_F000L;
        machine.map(top, iova & 0x3FFF_FFFFL, PAGE + i * 0x1000L, READ_WRITE);
        assertThat(machine.leads(machine.device, iova + 5, PAGE + i * 0x1000L + 5)).isTrue();
        assertThat(machine.device.check(iova - 0x1000, 1, Access.READ)).isNotNull();
      }
      machine.write(machine.ttbr(STREAM, 2), 0);
      machine.invalidate(STREAM);
      assertRefused(machine, 0xBFFF_F000L, Access.READ, AbortReason.NOT_MAPPED, 1);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"T8020", "T6000"})
  void widerAddressesUseTheOtherTables(DartType type) {
    try (DartMachine machine = new DartMachine(DartMachine.config(type).withInputWidth(38))) {
      machine.write(machine.tcr(STREAM), machine.translate());
      long top = machine.table();
      machine.write(machine.ttbr(STREAM, 3), machine.valid(top));
      machine.map(top, 0x4000, PAGE, READ_WRITE);
      assertThat(machine.leads(machine.device, 0x30_0000_4000L, PAGE)).isTrue();
      assertRefused(machine, 0x4000, Access.READ, AbortReason.NOT_MAPPED, 1);
    }
  }

  @Test
  void aT8110OfFourLevelsHasOneMore() {
    try (DartMachine machine = new DartMachine(AppleDartConfig.T8110.withInputWidth(42))) {
      long top = machine.translated(STREAM);
      long iova = 0x3A5_1234_4000L;
      assertRefused(machine, iova, Access.READ, AbortReason.ADDRESS_WIDTH, 1);
      machine.write(machine.tcr(STREAM), machine.translate() | 8);
      assertRefused(machine, iova, Access.READ, AbortReason.NOT_MAPPED, 2);
      machine.store(
          machine.entryAddress(top, 3, iova), machine.field(PAGE) | 1 | DartMachine.wholePage());
      assertThat(machine.leads(machine.device, iova + 9, PAGE + 9)).isTrue();
      assertRefused(machine, iova + 0x4000, Access.READ, AbortReason.NOT_MAPPED, 8);
      assertRefused(machine, iova + (1 << 25), Access.READ, AbortReason.NOT_MAPPED, 4);
      assertRefused(machine, 1L << 42, Access.READ, AbortReason.ADDRESS_WIDTH, 1);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "T8020, 0x0, 0xfff", "T6000, 0x0, 0xfff", "T8020, 0x400, 0xbff", "T6000, 0x400, 0xbff",
    "T8110, 0x400, 0x7ff", "T8020, 0x3ff, 0x3ff", "T6000, 0x3ff, 0x400", "T8110, 0x001, 0xffe",
    "T8020, 0x123, 0x124", "T6000, 0x0, 0x0", "T8110, 0xfff, 0xfff", "T8020, 0x5, 0x4"
  })
  void onlyTheAllowedPartOfAPageIsTouched(DartType type, String start, String end) {
    long first = Long.decode(start) * 4;
    long last = Long.decode(end) * 4 + 3;
    try (DartMachine machine = DartMachine.of(type)) {
      long top = machine.translated(STREAM);
      machine.store(
          machine.entryAddress(top, 2, 0x4000),
          machine.field(PAGE) | 1 | Long.decode(start) << 52 | Long.decode(end) << 40);
      for (int round = 0; round < 2; round++) {
        for (long at = 0; at < 0x4000; at++) {
          assertThat(machine.device.check(0x4000 + at, 1, Access.READ_WRITE) == null)
              .as("0x%x", at)
              .isEqualTo(at >= first && at <= last);
        }
      }
      if (first <= last) {
        assertThat(machine.device.fill(0x4000 + first, last - first + 1, (byte) 7)).isNull();
        assertThat(machine.memory.load(PAGE + first, 1, ByteOrder.LITTLE_ENDIAN, new Word()))
            .isNotNull();
        MapResult mapped = machine.device.map(0x4000 + first, 0x4000, Access.READ);
        assertThat(mapped).isInstanceOf(Mapping.class);
        try (Mapping mapping = (Mapping) mapped) {
          assertThat(mapping.length()).isEqualTo(last - first + 1);
        }
        TargetAbort abort = machine.device.fill(0x4000 + first, 0x8000, (byte) 7);
        assertThat(abort).isNotNull();
        assertThat(abort.bytesMoved()).isEqualTo(last - first + 1);
        assertThat(abort.iova()).isEqualTo(0x4000 + last + 1);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aPartThatIsNotAllowedIsAnError(DartType type) {
    boolean t8110 = type == DartType.T8110;
    try (DartMachine machine = DartMachine.of(type)) {
      long top = machine.translated(STREAM);
      machine.store(
          machine.entryAddress(top, 2, 0x4000),
          machine.field(PAGE) | 1 | 0x10L << 52 | 0x1FL << 40);
      assertRefused(machine, 0x403F, Access.READ, AbortReason.NO_READ, t8110 ? 1 << 5 : 1 << 7);
      assertRefused(machine, 0x4080, Access.WRITE, AbortReason.NO_WRITE, t8110 ? 1 << 4 : 1 << 7);
    }
  }

  @Test
  void aSmallPageIsProtectedToTheByte() {
    try (DartMachine machine = new DartMachine(AppleDartConfig.T8020.withPageShift(12))) {
      long top = machine.translated(STREAM);
      machine.store(machine.entryAddress(top, 2, 0x5000), PAGE | 1 | 0x101L << 52 | 0x3A6L << 40);
      for (int at = 0; at < 0x1000; at++) {
        assertThat(machine.device.check(0x5000 + at, 1, Access.READ) == null)
            .isEqualTo(at >= 0x101 && at <= 0x3A6);
      }
      assertThat(machine.leads(machine.device, 0x5101, PAGE + 0x101)).isTrue();
    }
  }

  @Test
  void theFirstFormatCanSwitchThatOff() {
    try (DartMachine machine = DartMachine.of(DartType.T8020)) {
      long top = machine.translated(STREAM);
      machine.store(machine.entryAddress(top, 2, 0x4000), PAGE | 3 | 0x10L << 52 | 0x1FL << 40);
      assertThat(machine.device.check(0x4000, 0x4000, Access.READ_WRITE)).isNull();
    }
  }

  @Test
  void theSecondFormatHasAnotherBitThere() {
    try (DartMachine machine = DartMachine.of(DartType.T6000)) {
      long top = machine.translated(STREAM);
      machine.store(
          machine.entryAddress(top, 2, 0x4000), PAGE >> 4 | 3 | 0x10L << 52 | 0x1FL << 40);
      assertThat(machine.device.check(0x4000, 0x4000, Access.READ_WRITE)).isNotNull();
      machine.store(machine.entryAddress(top, 2, 0x8000), PAGE >> 4 | 3 | DartMachine.wholePage());
      assertThat(machine.device.check(0x8000, 0x4000, Access.READ_WRITE)).isNull();
    }
  }

  @ParameterizedTest
  @EnumSource
  void streamsHaveTablesOfTheirOwn(DartType type) {
    try (DartMachine machine = DartMachine.of(type)) {
      DmaContext other = machine.attach(4);
      machine.map(machine.translated(STREAM), 0x4000, PAGE, READ_WRITE);
      machine.map(machine.translated(4), 0x4000, PAGE + 0x4000, READ_WRITE);
      for (int i = 0; i < 2; i++) {
        assertThat(machine.leads(machine.device, 0x4000, PAGE)).isTrue();
        assertThat(machine.leads(other, 0x4000, PAGE + 0x4000)).isTrue();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aRequesterWithoutAStreamIsRefusedAndNotRecorded(DartType type) {
    try (DartMachine machine = DartMachine.of(type)) {
      DmaContext nobody = machine.attach(16);
      assertThat(nobody.fill(0x4000, 1, (byte) 1))
          .extracting(TargetAbort::reason)
          .isEqualTo(AbortReason.BLOCKED);
      assertThat(machine.read(machine.errorRegister())).isZero();
      assertThat(machine.interrupts).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource
  void anEntryStaysInTheTlbUntilItsStreamIsInvalidated(DartType type) {
    try (DartMachine machine = DartMachine.of(type)) {
      long top = machine.translated(STREAM);
      machine.map(top, 0x4000, PAGE, READ_WRITE);
      assertThat(machine.leads(machine.device, 0x4000, PAGE)).isTrue();
      machine.map(top, 0x4000, PAGE + 0x4000, READ_WRITE);
      machine.invalidate(STREAM + 1);
      assertThat(machine.isBusy()).isFalse();
      assertThat(machine.leads(machine.device, 0x4000, PAGE)).as("stale").isTrue();
      machine.write(machine.ttbr(STREAM, 0), 0);
      assertThat(machine.leads(machine.device, 0x4000, PAGE)).as("stale").isTrue();
      machine.write(machine.ttbr(STREAM, 0), machine.valid(top));
      machine.invalidate(STREAM);
      assertThat(machine.leads(machine.device, 0x4000, PAGE + 0x4000)).isTrue();
    }
  }
}
