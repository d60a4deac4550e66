package dev.sluice.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JsonTargetTest {
  @TempDir private Path folder;

  private final StringWriter out = new StringWriter();

  @Test
  void aHyphenIsStandardOutput() throws IOException {
    open("-").write("{}");
    assertThat(out).hasToString("{}");
  }

  @Test
  void openingLeavesNoTraceAndTouchesNothing() throws IOException {
    Path file = Files.writeString(folder.resolve("report.json"), "old");
    open(file.toString());
    assertThat(inFolder()).containsExactly("report.json");
    assertThat(file).hasContent("old");
  }

  @Test
  void writingReplacesTheWholeFileAndLeavesNothingBeside() throws IOException {
    Path file = Files.writeString(folder.resolve("report.json"), "a longer old text");
    open(file.toString()).write("{}");
    assertThat(file).hasContent("{}");
    assertThat(inFolder()).containsExactly("report.json");
  }

  @Test
  void aLinkStaysAndWhatItLeadsToIsReplaced() throws IOException {
    Path file = Files.createFile(folder.resolve("real.json"));
    Path link = Files.createSymbolicLink(folder.resolve("link.json"), file);
    open(link.toString()).write("{}");
    assertThat(link).isSymbolicLink();
    assertThat(file).hasContent("{}");
  }

  @Test
  void aDeviceIsWrittenToAndNotReplaced() throws IOException {
    assertThat(open("/dev/null")).isInstanceOf(JsonTarget.Device.class);
    open("/dev/null").write("{}");
    assertThat(Files.isRegularFile(Path.of("/dev/null"))).isFalse();
  }

  @Test
  void aStandardOutputThatTakesNothingIsAFailure() throws IOException {
    try (PrintWriter full = new PrintWriter(new FileWriter("/dev/full", UTF_8))) {
      JsonTarget target = JsonTarget.open("-", full);
      assertThatThrownBy(() -> target.write("{}")).isInstanceOf(IOException.class);
    }
  }

  @Test
  void aPipeBehindALinkIsWrittenTo() throws Exception {
    Process reader = new ProcessBuilder("cat").redirectErrorStream(true).start();
    try {
      Path pipe = Path.of("/proc/" + reader.pid() + "/fd/0");
      JsonTarget target = open(pipe.toString());
      assertThat(target).isInstanceOf(JsonTarget.Device.class);
      target.write("{}");
      reader.getOutputStream().close();
      assertThat(reader.getInputStream().readAllBytes()).asString(UTF_8).isEqualTo("{}");
    } finally {
      reader.destroyForcibly();
    }
  }

  @Test
  void aFileInTheCurrentFolderNeedsNoPath() throws IOException {
    assertThat(open("report.json"))
        .isEqualTo(new JsonTarget.Regular(Path.of("report.json").toAbsolutePath()));
  }

  @Test
  void aDirectoryIsRefused() {
    assertThatThrownBy(() -> open(folder.toString()))
        .isInstanceOf(IOException.class)
        .hasMessage(folder + " is a directory");
  }

  @Test
  void aMissingFolderIsNamed() {
    Path missing = folder.resolve("missing");
    assertThatThrownBy(() -> open(missing.resolve("r.json").toString()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("there is no folder " + missing);
  }

  private JsonTarget open(String value) throws IOException {
    return JsonTarget.open(value, new PrintWriter(out));
  }

  private List<String> inFolder() throws IOException {
    try (var files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }
}
