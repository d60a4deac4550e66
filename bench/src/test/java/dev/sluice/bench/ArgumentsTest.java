package dev.sluice.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.sluice.bench.Arguments.WrongUsage;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ArgumentsTest {
  @Test
  void nothingMeansTheLongRun() throws WrongUsage {
    assertThat(Arguments.parse()).isEqualTo(new Arguments(false, Effort.FULL, null));
  }

  @Test
  void takesAShortRunAndAFile() throws WrongUsage {
    assertThat(Arguments.parse("--quick", "--json", "rows.json"))
        .isEqualTo(new Arguments(false, Effort.QUICK, Path.of("rows.json")));
  }

  @Test
  void jsonNeedsAFile() {
    assertThatExceptionOfType(WrongUsage.class)
        .isThrownBy(() -> Arguments.parse("--json"))
        .withMessage("--json needs a file");
    assertThatExceptionOfType(WrongUsage.class).isThrownBy(() -> Arguments.parse("--json", ""));
  }

  @Test
  void refusesWhatItDoesNotKnow() {
    assertThatExceptionOfType(WrongUsage.class)
        .isThrownBy(() -> Arguments.parse("--fast"))
        .withMessage("unknown option --fast");
  }
}
