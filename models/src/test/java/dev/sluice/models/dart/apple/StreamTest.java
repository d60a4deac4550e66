package dev.sluice.models.dart.apple;

import static dev.sluice.models.dart.apple.DartMachine.READ_WRITE;
import static dev.sluice.models.dart.apple.DartMachine.STREAM;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.memory.Access;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class StreamTest {
  private static final long PAGE = 0x10_0000;

  @ParameterizedTest
  @EnumSource
  void aStreamIsBlockedUnlessItIsTranslatedOrBypassed(DartType type) {
    try (DartMachine machine = DartMachine.of(type)) {
      assertThat(machine.leads(machine.device, PAGE, PAGE)).isFalse();
      machine.write(machine.tcr(STREAM), machine.bypass());
      assertThat(machine.leads(machine.device, PAGE, PAGE)).isTrue();
      machine.write(machine.tcr(STREAM), 0);
      assertThat(machine.leads(machine.device, PAGE, PAGE)).isFalse();
      long top = machine.translated(STREAM);
      assertThat(machine.leads(machine.device, PAGE, PAGE)).isFalse();
      machine.map(top, PAGE, PAGE + 0x4000, READ_WRITE);
      assertThat(machine.leads(machine.device, PAGE, PAGE + 0x4000)).isTrue();
      machine.write(machine.tcr(STREAM), 0);
      assertThat(machine.leads(machine.device, PAGE, PAGE + 0x4000)).isFalse();
      machine.write(machine.tcr(STREAM), machine.bypass() | machine.translate());
      assertThat(machine.leads(machine.device, PAGE, PAGE + 0x4000)).isFalse();
      assertThat(machine.leads(machine.device, PAGE, PAGE)).isFalse();
    }
  }

  @ParameterizedTest
  @EnumSource
  void theTlbOutlivesABlockedStream(DartType type) {
    try (DartMachine machine = DartMachine.of(type)) {
      long top = machine.translated(STREAM);
      machine.map(top, 0x4000, PAGE, READ_WRITE);
      assertThat(machine.leads(machine.device, 0x4000, PAGE)).isTrue();
      machine.write(machine.tcr(STREAM), 0);
      machine.unmap(top, 0x4000);
      machine.write(machine.tcr(STREAM), machine.translate());
      assertThat(machine.leads(machine.device, 0x4000, PAGE)).isTrue();
      machine.invalidate(STREAM);
      assertThat(machine.leads(machine.device, 0x4000, PAGE)).isFalse();
    }
  }

  @ParameterizedTest
  @EnumSource
  void bypassHasToBeSupported(DartType type) {
    try (DartMachine machine = new DartMachine(DartMachine.config(type).withBypass(false))) {
      assertThat(machine.read(4) & 1).isZero();
      machine.write(machine.tcr(STREAM), machine.bypass());
      assertThat(machine.leads(machine.device, PAGE, PAGE)).isFalse();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"T8020", "T6000"})
  void aStreamThatIsNotEnabledIsBlocked(DartType type) {
    try (DartMachine machine = DartMachine.of(type)) {
      assertThat(machine.read(DartMachine.STREAMS_ENABLE)).isEqualTo(0xFFFF);
      machine.write(machine.tcr(STREAM), machine.bypass());
      machine.write(DartMachine.STREAMS_ENABLE, 0xFFFF_FFFFL & ~(1 << STREAM));
      assertThat(machine.read(DartMachine.STREAMS_ENABLE)).isEqualTo(0xFFF7);
      assertThat(machine.leads(machine.device, PAGE, PAGE)).isFalse();
      machine.write(DartMachine.STREAMS_ENABLE, 1 << STREAM);
      assertThat(machine.leads(machine.device, PAGE, PAGE)).isTrue();
    }
  }

  @Test
  void aT8110EnablesAndDisablesWithTwoRegisters() {
    try (DartMachine machine = new DartMachine(AppleDartConfig.T8110.withStreams(70))) {
      DmaContext last = machine.attach(69);
      machine.write(machine.tcr(69), machine.bypass());
      assertThat(machine.read(0xC08)).isEqualTo(0x3F);
      machine.write(0xC28, 1 << 5);
      assertThat(machine.read(0xC08)).isEqualTo(0x1F);
      assertThat(machine.leads(last, PAGE, PAGE)).isFalse();
      machine.write(0xC08, 0xFFFF_FFFFL);
      assertThat(machine.read(0xC08)).isEqualTo(0x3F);
      assertThat(machine.leads(last, PAGE, PAGE)).isTrue();
      assertThat(machine.read(0xC00)).isEqualTo(0xFFFF_FFFFL);
      assertThat(machine.read(0xC28)).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"T8020", "T6000"})
  void aStreamCanBeRemappedToAnother(DartType type) {
    try (DartMachine machine = DartMachine.of(type)) {
      assertThat(machine.read(0x80)).isEqualTo(0x0302_0100);
      assertThat(machine.read(0x8C)).isEqualTo(0x0F0E_0D0C);
      machine.map(machine.translated(STREAM), 0x4000, PAGE, READ_WRITE);
      machine.map(machine.translated(9), 0x4000, PAGE + 0x4000, READ_WRITE);
      assertThat(machine.leads(machine.device, 0x4000, PAGE)).isTrue();
      machine.write(0x80, 0x0902_0100);
      assertThat(machine.leads(machine.device, 0x4000, PAGE + 0x4000)).isTrue();
      machine.write(0x80, 0x0302_0100);
      assertThat(machine.leads(machine.device, 0x4000, PAGE)).isTrue();
    }
  }

  @Test
  void aT8110RemapsInTheControlRegister() {
    try (DartMachine machine = DartMachine.of(DartType.T8110)) {
      machine.map(machine.translated(9), 0x4000, PAGE, READ_WRITE);
      machine.write(machine.tcr(STREAM), 0x980);
      assertThat(machine.leads(machine.device, 0x4000, PAGE)).isTrue();
      machine.write(machine.tcr(STREAM), 0x900);
      assertThat(machine.leads(machine.device, 0x4000, PAGE)).isFalse();
    }
  }

  @Test
  void aRemapToAStreamThatDoesNotExistBlocks() {
    try (DartMachine machine = new DartMachine(AppleDartConfig.T8110.withStreams(4))) {
      machine.write(machine.tcr(STREAM), 0xF80);
      assertThat(machine.device.check(0, 1, Access.READ)).isNotNull();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"T8020", "T6000"})
  void aLockKeepsStreamRegistersUntilAReset(DartType type) {
    try (DartMachine machine = DartMachine.of(type)) {
      long top = machine.translated(STREAM);
      machine.map(top, 0x4000, PAGE, READ_WRITE);
      long ttbr = machine.read(machine.ttbr(STREAM, 0));
      machine.write(DartMachine.CONFIG, 1 << 15);
      for (long tries : new long[] {0, 0xFFFF_FFFFL}) {
        machine.write(DartMachine.CONFIG, tries);
        machine.write(machine.tcr(STREAM), tries);
        machine.write(machine.ttbr(STREAM, 0), tries);
        machine.write(machine.ttbr(STREAM, 1), tries);
        machine.write(DartMachine.REMAP, tries);
      }
      assertThat(machine.read(DartMachine.CONFIG)).isEqualTo(1 << 15);
      assertThat(machine.read(machine.tcr(STREAM))).isEqualTo(machine.translate());
      assertThat(machine.read(machine.ttbr(STREAM, 0))).isEqualTo(ttbr);
      assertThat(machine.read(machine.ttbr(STREAM, 1))).isZero();
      assertThat(machine.read(DartMachine.REMAP)).isEqualTo(0x0302_0100);
      assertThat(machine.leads(machine.device, 0x4000, PAGE)).isTrue();
      machine.map(top, 0x4000, PAGE + 0x4000, READ_WRITE);
      machine.invalidate(STREAM);
      assertThat(machine.leads(machine.device, 0x4000, PAGE + 0x4000)).isTrue();
      machine.iommu.reset(() -> {});
      assertThat(machine.read(DartMachine.CONFIG)).isZero();
      assertThat(machine.leads(machine.device, 0x4000, PAGE + 0x4000)).isFalse();
      machine.write(machine.tcr(STREAM), machine.bypass());
      assertThat(machine.leads(machine.device, PAGE, PAGE)).isTrue();
    }
  }

  @Test
  void aT8110CanBeProtectedUnprotectedAndLocked() {
    try (DartMachine machine = DartMachine.of(DartType.T8110)) {
      machine.write(0x200, 1);
      machine.write(0x200, 0);
      assertThat(machine.read(0x200)).isEqualTo(1);
      machine.write(machine.tcr(STREAM), machine.bypass());
      machine.write(machine.ttbr(STREAM, 0), 5);
      assertThat(machine.read(machine.tcr(STREAM))).isZero();
      assertThat(machine.read(machine.ttbr(STREAM, 0))).isZero();
      machine.write(0x204, 1);
      assertThat(machine.read(0x200)).isZero();
      machine.write(machine.tcr(STREAM), machine.bypass());
      assertThat(machine.leads(machine.device, PAGE, PAGE)).isTrue();
      machine.write(0x208, 1);
      machine.write(0x208, 0);
      assertThat(machine.read(0x208)).isEqualTo(1);
      machine.write(0x200, 3);
      machine.write(0x204, 3);
      assertThat(machine.read(0x200)).isEqualTo(1);
      machine.write(machine.tcr(STREAM), 0);
      assertThat(machine.leads(machine.device, PAGE, PAGE)).isTrue();
    }
  }
}
