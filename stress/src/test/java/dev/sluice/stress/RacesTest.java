package dev.sluice.stress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Runs the jcstress tests of this module, each in a JVM of its own, and fails when an outcome
/// shows that is forbidden. What jcstress printed stands in `target/jcstress`, with its HTML
/// report.
class RacesTest {
  private static final Path REPORT = Path.of("target", "jcstress").toAbsolutePath();

  /// A glance at each race: half a second, one JIT configuration.
  @Test
  void noForbiddenOutcomeShowsInAShortRun() throws Exception {
    run(
        "short",
        "-f",
        "1",
        "-iters",
        "1",
        "-time",
        "400",
        "-sc",
        "false",
        "-af",
        "NONE",
        "-jvmArgs",
        "-Xmx256m -XX:+UseSerialGC");
  }

  /// The same in each of the JVM configurations that jcstress knows: interpreter, compilers, and a
  /// compiler that shuffles instructions.
  @Test
  @Tag("long")
  @Timeout(value = 110, unit = TimeUnit.MINUTES)
  void noForbiddenOutcomeShowsInALongRun() throws Exception {
    run("long", "-f", "1", "-iters", "2", "-time", "500", "-sc", "false", "-af", "NONE");
  }

  private static void run(String name, String... options) throws Exception {
    Path folder = Files.createDirectories(REPORT.resolve(name));
    Path output = folder.resolve("output.txt");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-cp");
    command.add(classPath());
    command.add("org.openjdk.jcstress.Main");
    // Two actors a test, and no need to find out by a trial how many processors there are.
    command.addAll(List.of("-c", "2", "-r", folder.toString()));
    command.addAll(List.of(options));
    Process jcstress =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    int status;
    try {
      status = jcstress.waitFor();
    } finally {
      jcstress.descendants().forEach(ProcessHandle::destroyForcibly);
      jcstress.destroyForcibly();
    }
    String printed = Files.readString(output);
    int results = printed.indexOf("RUN RESULTS:");
    assertThat(printed.substring(Math.max(results, 0)))
        .as("results of %s", output)
        .contains("Failed tests: No matches", "Error tests: No matches");
    assertThat(status).as("status of jcstress, see %s", output).isZero();
  }

  private static String classPath() {
    String surefire = System.getProperty("surefire.test.class.path");
    String all = surefire != null ? surefire : System.getProperty("java.class.path");
    assertThat(all.split(File.pathSeparator)).isNotEmpty();
    return all;
  }
}
