package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.MAP;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BenchJsonTest {
  @Test
  void aReportHasTheDocumentedShape() {
    Map<String, Object> json = ParsedJson.object(BenchJson.of(SampleReports.measured()));
    assertThat(json).containsOnlyKeys("bench", "stages", "wallSeconds", "notes");
    assertThat(ParsedJson.at(json, "bench.passed")).isEqualTo(true);
    assertThat(ParsedJson.at(json, "bench.iommu")).isEqualTo("vtd");
    assertThat(ParsedJson.at(json, "bench.measuredSeconds")).isEqualTo(5.0);
    assertThat(ParsedJson.at(json, "bench.workloads"))
        .isEqualTo(
            List.of(
                Map.of(
                    "name",
                    "randread-4k-qd1",
                    "blockBytes",
                    4096.0,
                    "depth",
                    1.0,
                    "sluice",
                    result(6_000, 24_576_000, 155, 150, 400, 900, 1),
                    "qemu",
                    result(5_000, 20_480_000, 190, 180, 350, 1_000, 0.5),
                    "iopsRatio",
                    1.2,
                    "work",
                    Map.of(
                        "ios",
                        40_000.0,
                        "doorbells",
                        80_000.0,
                        "interrupts",
                        40_000.0,
                        "iommuWrites",
                        40_000.0,
                        "iommuReads",
                        20_000.0,
                        "misses",
                        44_000.0,
                        "invalidations",
                        40_000.0,
                        "drains",
                        40_004.0,
                        "delayedDrains",
                        12.0))));
  }

  @Test
  void whatWasNotMeasuredIsLeftOutAndTheFailureSaysWhy() {
    Map<String, Object> json = ParsedJson.object(BenchJson.of(SampleReports.halfMeasured()));
    assertThat(ParsedJson.at(json, "bench.passed")).isEqualTo(false);
    assertThat(ParsedJson.at(json, "bench.failures"))
        .isEqualTo(List.of(Map.of("name", "workloads", "detail", "on QEMU's devices: fio failed")));
    assertThat(ParsedJson.at(json, "bench.workloads.0"))
        .asInstanceOf(MAP)
        .containsOnlyKeys("name", "blockBytes", "depth", "sluice");
  }

  private static Map<String, Object> result(
      double iops,
      double bytes,
      double mean,
      double p50,
      double p99,
      double p999,
      double interrupts) {
    return Map.of(
        "iops",
        iops,
        "bytesPerSecond",
        bytes,
        "latencyMicros",
        Map.of("mean", mean, "p50", p50, "p99", p99, "p999", p999),
        "interruptsPerIo",
        interrupts);
  }
}
