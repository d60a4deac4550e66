package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class MainTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final CommandLine sluice =
      Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));

  @Test
  void versionNamesSluiceAndTheJavaThatRunsIt() {
    assertThat(sluice.execute("--version")).isZero();
    assertThat(out.toString())
        .matches(
            "sluice \\d+\\.\\d+\\.\\d+(-SNAPSHOT)?\\RJava "
                + Runtime.version().feature()
                + ".*\\R");
  }

  @Test
  void helpSaysHowToRunTheTests() {
    assertThat(sluice.execute("--help")).isZero();
    assertThat(out.toString()).contains("test [--all]");
  }

  @Test
  void noCommandIsAUsageErrorThatShowsTheHelp() {
    assertThat(sluice.execute()).isEqualTo(2);
    assertThat(err.toString()).contains("Which command?", "Usage: sluice");
  }

  @Test
  void anUnknownCommandIsAUsageErrorThatNamesIt() {
    assertThat(sluice.execute("levitate")).isEqualTo(2);
    assertThat(err.toString()).contains("levitate");
  }
}
