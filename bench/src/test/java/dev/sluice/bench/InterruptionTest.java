package dev.sluice.bench;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InterruptionTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 143"})
  void aSignalLeavesNoProcessAndNoFile(String signal, int status) throws Exception {
    Process bench = bench();
    try {
      BufferedReader err = new BufferedReader(new InputStreamReader(bench.getErrorStream(), UTF_8));
      awaitFirstRow(err);
      ProcessHandle fork = firstChild(bench);

      new ProcessBuilder("kill", "-" + signal, Long.toString(bench.pid())).start().waitFor();

      assertThat(bench.waitFor(1, TimeUnit.MINUTES)).isTrue();
      assertThat(bench.exitValue()).isEqualTo(status);
      assertThat(fork.onExit().get(1, TimeUnit.MINUTES).isAlive()).isFalse();
      assertThat(err.readLine()).isNull();
    } finally {
      bench.destroyForcibly();
    }
    assertThat(folder).isEmptyDirectory();
  }

  /// A JVM of its own: a signal is for a whole process. `env` gives it the signals' usual meaning,
  /// which a build in the background may have taken from its children.
  private Process bench() throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
            List.of(
                "env",
                "--default-signal=INT,TERM",
                "PATH=",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--sun-misc-unsafe-memory-access=allow",
                "-Djava.io.tmpdir=" + folder,
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "--json",
                folder.resolve("rows.json").toString()));
    return builder.start();
  }

  private static void awaitFirstRow(BufferedReader err) throws IOException {
    String line;
    do {
      line = err.readLine();
      assertThat(line).startsWith("sluice bench: ");
    } while (!line.contains(": 1 of "));
  }

  /// JMH's process, which is about to be started.
  private static ProcessHandle firstChild(Process bench) {
    while (true) {
      var child = bench.children().findFirst();
      if (child.isPresent()) {
        return child.get();
      }
      assertThat(bench.isAlive()).isTrue();
      Thread.onSpinWait();
    }
  }
}
