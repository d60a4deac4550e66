package dev.sluice.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A JVM of its own: what is lost on its standard output.
class LostOutputTest {
  @TempDir private Path folder;

  @Test
  void aJsonReportThatAFullDiskSwallowsIsAFailure() throws Exception {
    Path trace =
        Files.writeString(
            folder.resolve("trace"), "spapr_iommu_new_table liobn=0x80000000 table=0x7f fd=-1\n");
    Process sluice =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "--enable-native-access=ALL-UNNAMED",
                Main.class.getName(),
                "replay",
                "--iommu=spapr",
                "--json",
                trace.toString())
            .redirectOutput(Path.of("/dev/full").toFile())
            .start();
    try {
      assertThat(new String(sluice.getErrorStream().readAllBytes(), UTF_8))
          .startsWith("sluice: the JSON report could not be written: ");
      assertThat(sluice.waitFor()).isEqualTo(1);
    } finally {
      sluice.destroyForcibly();
    }
  }
}
