package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LogFolderTest {
  private static final Path HOME = Path.of("/home/ada");

  @Test
  void isBelowTheHomeUnlessToldOtherwise() {
    assertThat(LogFolder.of(Map.of(), HOME)).isEqualTo(Path.of("/home/ada/.local/state/sluice"));
  }

  @Test
  void followsTheEnvironmentsHome() {
    assertThat(LogFolder.of(Map.of("HOME", "/home/bob"), HOME))
        .isEqualTo(Path.of("/home/bob/.local/state/sluice"));
  }

  @Test
  void followsTheStateFolder() {
    assertThat(LogFolder.of(Map.of("XDG_STATE_HOME", "/state"), HOME))
        .isEqualTo(Path.of("/state/sluice"));
  }

  @Test
  void ignoresARelativeStateFolder() {
    assertThat(LogFolder.of(Map.of("XDG_STATE_HOME", "state"), HOME))
        .isEqualTo(Path.of("/home/ada/.local/state/sluice"));
  }
}
