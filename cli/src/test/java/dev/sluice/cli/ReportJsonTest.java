package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.vm.BootReport.Stage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ReportJsonTest {
  @Test
  void aReportHasTheDocumentedShape() {
    assertThat(ParsedJson.object(ReportJson.of(SampleReports.failed())))
        .isEqualTo(
            Map.of(
                "guest",
                Map.of(
                    "kind",
                    "linux",
                    "kernel",
                    "7.3.4+deb13-amd64",
                    "passed",
                    false,
                    "checks",
                    List.of(
                        Map.of(
                            "name",
                            "dmar-unit",
                            "passed",
                            true,
                            "detail",
                            "DMAR: dmar0: reg_base_addr febfb000"),
                        Map.of(
                            "name",
                            "disk-read",
                            "passed",
                            false,
                            "detail",
                            "33554432 bytes have sha256 00, expected ab12"))),
                "iommu",
                Map.of(
                    "model",
                    "vtd",
                    "mode",
                    "legacy",
                    "iotlbMisses",
                    412_345.0,
                    "walks",
                    2_323.0,
                    "faults",
                    1.0,
                    "invalidations",
                    Map.of("contextGlobal", 3.0, "iotlbPage", 4_318.0),
                    "drains",
                    Map.of(
                        "count",
                        4_321.0,
                        "delayed",
                        12.0,
                        "revocations",
                        0.0,
                        "maxNanos",
                        310_000.0)),
                "disk",
                Map.of("bytesRead", 67_108_864.0, "bytesWritten", 2_097_152.0),
                "stages",
                List.of(
                    Map.of("name", "kit", "seconds", 0.321),
                    Map.of("name", "guest", "seconds", 9.876)),
                "wallSeconds",
                10.25,
                "notes",
                List.of("There is no KVM here: TCG was used.")));
  }

  @Test
  void withoutAnIommuTheModelIsNone() {
    assertThat(ParsedJson.object(ReportJson.of(SampleReports.empty())))
        .containsEntry("iommu", Map.of("model", "none"));
  }

  @Test
  void aFailureSaysThatTheGuestDidNotPassAndWhy() {
    BootFailure failure =
        new BootFailure(
            Optional.of("guest"),
            "the guest panicked",
            "Look at its console.",
            List.of("Kernel panic - \"VFS\""),
            Optional.of(Path.of("/logs/boot.log")));
    List<Stage> stages = List.of(new Stage("guest", Duration.ofSeconds(2)));
    assertThat(ParsedJson.object(ReportJson.of(failure, stages, Duration.ofMillis(2_500))))
        .isEqualTo(
            Map.of(
                "guest",
                Map.of("passed", false, "checks", List.of()),
                "stages",
                List.of(Map.of("name", "guest", "seconds", 2.0)),
                "wallSeconds",
                2.5,
                "error",
                Map.of(
                    "stage",
                    "guest",
                    "message",
                    "the guest panicked",
                    "advice",
                    "Look at its console.",
                    "console",
                    List.of("Kernel panic - \"VFS\""),
                    "log",
                    "/logs/boot.log")));
  }

  @Test
  void anUnknownStageAndLogAreLeftOut() {
    BootFailure failure =
        new BootFailure(Optional.empty(), "no", "do", List.of(), Optional.empty());
    assertThat(ParsedJson.object(ReportJson.of(failure, List.of(), Duration.ZERO)))
        .containsEntry("error", Map.of("message", "no", "advice", "do", "console", List.of()));
  }

  @Test
  void oneObjectEndsWithOneLineEnd() {
    assertThat(ReportJson.of(SampleReports.passed())).startsWith("{").endsWith("}\n");
  }
}
