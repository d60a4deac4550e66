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
    Arguments wanted = new Arguments(false, Effort.QUICK, Path.of("rows.json"));
    assertThat(Arguments.parse("--quick", "--json", "rows.json")).isEqualTo(wanted);
    assertThat(Arguments.parse("--json=rows.json", "--quick")).isEqualTo(wanted);
    assertThat(wanted.outputIsForRows()).isFalse();
  }

  @Test
  void jsonWithoutAFileMeansStandardOutput() throws WrongUsage {
    assertThat(Arguments.parse("--json").outputIsForRows()).isTrue();
    assertThat(Arguments.parse("--json", "-").outputIsForRows()).isTrue();
    assertThat(Arguments.parse("--json", "--quick"))
        .isEqualTo(new Arguments(false, Effort.QUICK, Arguments.STANDARD_OUTPUT));
  }

  @Test
  void anOptionBehindJsonIsNoFile() throws WrongUsage {
    assertThat(Arguments.parse("--json", "-h"))
        .isEqualTo(new Arguments(true, Effort.FULL, Arguments.STANDARD_OUTPUT));
    assertThatExceptionOfType(WrongUsage.class)
        .isThrownBy(() -> Arguments.parse("--json", "-x"))
        .withMessage("unknown option -x");
    assertThat(Arguments.parse("--json=-h").json()).isEqualTo(Path.of("-h"));
  }

  @Test
  void aFileWithoutANameIsWrong() {
    for (String[] words : new String[][] {{"--json="}, {"--json", ""}}) {
      assertThatExceptionOfType(WrongUsage.class)
          .isThrownBy(() -> Arguments.parse(words))
          .withMessage("--json names no file");
    }
  }

  @Test
  void refusesWhatItDoesNotKnow() {
    assertThatExceptionOfType(WrongUsage.class)
        .isThrownBy(() -> Arguments.parse("--fast"))
        .withMessage("unknown option --fast");
  }
}
