package dev.sluice.bench;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.bench.Comparison.WithC;
import dev.sluice.bench.Target.AtMost;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MainTest {
  private static final Measurement COPY =
      Measurement.of(
          "copy 64 B",
          Job.of("CopyBenchmark.read", 4096),
          new WithC(new CRow("copy-in", 64, 64, "C: memcpy"), new AtMost(1000)));

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @TempDir private Path folder;

  @Test
  void withoutACompilerItMeasuresJavaAndSaysSo() throws Exception {
    Path json = folder.resolve("rows.json");

    int status = main(folder.toString(), COPY).run("--quick", "--json", json.toString());

    assertThat(status).isZero();
    assertThat(err.toString(UTF_8))
        .contains("there is no C compiler (gcc or cc) in PATH")
        .contains("1 of 1: copy 64 B");
    assertThat(out.toString(UTF_8))
        .contains("copy 64 B")
        .contains("0 of 0 targets met, 1 not to be told without C");
    assertThat(Files.readString(json))
        .startsWith("[{\"name\":\"copy 64 B\",\"unit\":\"ns/op\",\"score\":")
        .contains("\"comparedTo\":\"\",\"ratio\":null")
        .doesNotContain("C: memcpy");
  }

  @Test
  void rowsOnStandardOutputAreAloneThere() throws Exception {
    assertThat(main(folder.toString(), COPY).run("--quick", "--json")).isZero();
    assertThat(out.toString(UTF_8)).startsWith("[{\"name\":\"copy 64 B\"").endsWith("]\n");
    assertThat(err.toString(UTF_8)).contains("0 of 0 targets met, 1 not to be told without C");
  }

  @Test
  void withACompilerBothStandInOneTable() throws Exception {
    Files.writeString(
        folder.resolve("gcc"),
        """
        #!/bin/sh
        while [ "$1" != -o ]; do shift; done
        printf '#!/bin/sh\\nfor i in 1 2 3 4 5; do echo 2.5; done\\n' >"$2" && chmod +x "$2"
        """);
    assertThat(folder.resolve("gcc").toFile().setExecutable(true)).isTrue();

    int status = main(folder + ":/usr/bin:/bin", COPY).run("--quick");

    assertThat(status).isZero();
    assertThat(out.toString(UTF_8))
        .containsPattern("copy 64 B .* C: memcpy +2\\.50 +\\d+\\.\\d\\dx +<= 1000\\.00x +met")
        .contains("1 of 1 targets met; 1 of 1 rows allocate nothing");
  }

  @Test
  void aCompilerThatFailsEndsTheRun() throws Exception {
    Files.writeString(folder.resolve("cc"), "#!/bin/sh\necho 'no stdio.h'\nexit 1\n");
    assertThat(folder.resolve("cc").toFile().setExecutable(true)).isTrue();

    int status = main(folder.toString(), COPY).run("--quick");

    assertThat(status).isOne();
    assertThat(err.toString(UTF_8)).contains("does not compile the comparators", "no stdio.h");
  }

  @Test
  void aBenchmarkThatFailsSaysWhy() throws Exception {
    Measurement refused =
        Measurement.of(
            "refused",
            Job.of("AccessBenchmark.read", 1).with("pages", 1 << 16),
            new Comparison.Alone(null));

    int status = main("", refused).run("--quick");

    assertThat(status).isOne();
    assertThat(err.toString(UTF_8))
        .contains("a benchmark failed", "no translation for the address");
    assertThat(out.toString(UTF_8)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"missing/rows.json, there is no folder for it", "., it is a folder"})
  void aFileThatCannotBeWrittenIsFoundOutFirst(String file, String why) throws Exception {
    Path json = folder.resolve(file);

    int status = main("", COPY).run("--json", json.toString());

    assertThat(status).isOne();
    assertThat(err.toString(UTF_8))
        .isEqualTo("sluice bench: cannot write to %s: %s%n".formatted(json, why));
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void helpGoesToStandardOutput() throws Exception {
    assertThat(main("").run("--help")).isZero();
    assertThat(out.toString(UTF_8)).isEqualTo(Arguments.USAGE);
  }

  @Test
  void wrongUsageIsStatusTwo() throws Exception {
    assertThat(main("").run("--fast")).isEqualTo(2);
    assertThat(err.toString(UTF_8))
        .isEqualTo("sluice bench: unknown option --fast\n" + Arguments.USAGE);
  }

  private Main main(String searchPath, Measurement... plan) throws IOException {
    return new Main(
        new PrintStream(out, true, UTF_8),
        new PrintStream(err, true, UTF_8),
        Map.of("PATH", searchPath),
        List.of(plan));
  }
}
