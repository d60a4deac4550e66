package dev.sluice.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.vm.kit.qemu.QemuOutcome.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class QemuGuestTest {
  @Test
  void aGuestThatPowersOffHasEndedWellWhateverItReported() {
    assertThat(QemuGuest.endedWell(Kind.POWERED_OFF, true, false)).isTrue();
    assertThat(QemuGuest.endedWell(Kind.POWERED_OFF, false, false)).isTrue();
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "POWERED_OFF")
  void aGuestThatEndsOtherwiseHasNotThoughItsChecksWereDone(Kind how) {
    assertThat(QemuGuest.endedWell(how, true, false)).isFalse();
    assertThat(QemuGuest.endedWell(how, false, false)).isFalse();
    assertThat(QemuGuest.endedWell(how, false, true)).isFalse();
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "POWERED_OFF")
  void afterTheChecksOfAnInteractiveBootTheUserDecides(Kind how) {
    assertThat(QemuGuest.endedWell(how, true, true)).isTrue();
  }
}
