package dev.sluice.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InterruptionTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 143"})
  void aSignalEndsTheBootAndItsStatusSaysWhich(String signal, int status) throws Exception {
    Path json = folder.resolve("report.json");
    Process sluice = hangingBoot("boot", "--json", json.toString());
    try {
      String first = readUntil(sluice.getErrorStream(), "guest ...");
      new ProcessBuilder("kill", "-" + signal, Long.toString(sluice.pid())).start().waitFor();
      String rest = new String(sluice.getErrorStream().readAllBytes(), UTF_8);
      assertThat(sluice.waitFor(1, TimeUnit.MINUTES)).isTrue();
      assertThat(first + rest)
          .matches("guest \\.{3} \\d+\\.\\d s interrupted\\R+sluice: interrupted after .*\\R")
          .contains("nothing is left running");
      assertThat(sluice.exitValue()).isEqualTo(status);
    } finally {
      sluice.destroyForcibly();
    }
    assertThat(Files.readString(json)).contains("\"message\" : \"interrupted after ");
    assertThat(folder.toFile().list()).containsExactly("report.json");
  }

  /// A JVM of its own: a signal is for a whole process. `env` gives it the signals' usual meaning,
  /// which a build in the background may have taken from its children.
  private Process hangingBoot(String... arguments) throws IOException {
    List<String> words =
        new ArrayList<>(
            List.of(
                "env",
                "--default-signal=INT,TERM",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                HangingBoot.class.getName()));
    words.addAll(List.of(arguments));
    return new ProcessBuilder(words).directory(folder.toFile()).start();
  }

  private static String readUntil(InputStream stream, String end) throws IOException {
    StringBuilder text = new StringBuilder();
    while (text.indexOf(end) < 0) {
      int next = stream.read();
      assertThat(next).as("ended after: " + text).isNotNegative();
      text.append((char) next);
    }
    return text.toString();
  }
}
