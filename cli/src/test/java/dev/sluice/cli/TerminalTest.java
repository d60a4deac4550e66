package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TerminalTest {
  @Test
  void aTerminalRedrawsInColours() {
    assertThat(Terminal.of(true, Map.of("TERM", "xterm"))).isEqualTo(new Terminal(true, true));
  }

  @Test
  void aFileOrPipeDoesNeither() {
    assertThat(Terminal.of(false, Map.of("TERM", "xterm"))).isEqualTo(Terminal.NONE);
  }

  @Test
  void aDumbTerminalDoesNeither() {
    assertThat(Terminal.of(true, Map.of("TERM", "dumb"))).isEqualTo(Terminal.NONE);
  }

  @Test
  void noColorTakesTheColoursAlone() {
    assertThat(Terminal.of(true, Map.of("NO_COLOR", "1"))).isEqualTo(new Terminal(true, false));
  }

  @Test
  void anEmptyNoColorIsNotSet() {
    assertThat(Terminal.of(true, Map.of("NO_COLOR", ""))).isEqualTo(new Terminal(true, true));
  }

  @ParameterizedTest
  @ValueSource(strings = {"true", "1", "woodpecker"})
  void nothingIsRedrawnUnderCi(String ci) {
    assertThat(Terminal.of(true, Map.of("CI", ci)).redraws()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "false"})
  void aCiThatIsNoneDoesNotCount(String ci) {
    assertThat(Terminal.of(true, Map.of("CI", ci)).redraws()).isTrue();
  }

  @Test
  void paintsOnlyWithColours() {
    assertThat(new Terminal(true, true).paint(Terminal.Style.RED, "x"))
        .isEqualTo("\u001b[31mx\u001b[0m");
    assertThat(Terminal.NONE.paint(Terminal.Style.RED, "x")).isEqualTo("x");
  }
}
