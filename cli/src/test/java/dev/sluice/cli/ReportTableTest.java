package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.vm.BootOptions.Invalidation;
import dev.sluice.vm.BootReport;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReportTableTest {
  @Test
  void showsEverythingOfABootThatPassed() {
    assertThat(text(SampleReports.passed()))
        .isEqualTo(
            """
            Linux 7.3.4+deb13-amd64 behind vtd (legacy mode, strict invalidation)

            Stages                           seconds
              kit                                0.3
              guest                              9.9
              all of it                         10.3

            IOMMU
              IOTLB misses                   412,345
              page walks                       2,323
              faults                               1
              invalidations
                context global                     3
                iotlb page                     4,318
              drains                           4,321  12 waited, 0 revoked, longest 310.0 us

            Disk                               bytes
              read                        67,108,864  64.0 MiB
              written                      2,097,152  2.0 MiB

            The guest's checks
              ok    dmar-unit  DMAR: dmar0: reg_base_addr febfb000
              ok    disk-read  33554432 bytes have sha256 ab12

            PASSED: 2 of 2 checks, 10.3 s
            """);
  }

  @Test
  void marksAFailedCheckAndNamesTheNotes() {
    assertThat(text(SampleReports.failed()))
        .endsWith(
            """
            The guest's checks
              ok    dmar-unit  DMAR: dmar0: reg_base_addr febfb000
              FAIL  disk-read  33554432 bytes have sha256 00, expected ab12

            Note: There is no KVM here: TCG was used.

            FAILED: 1 of 2 checks, 10.3 s
            """);
  }

  @Test
  void aGuestWithoutAnyCheckHasFailed() {
    assertThat(text(SampleReports.empty()))
        .isEqualTo(
            """
            in-process guest without an IOMMU

            Stages                           seconds
              all of it                          0.0

            Disk                               bytes
              read                                 0  0.0 MiB
              written                              0  0.0 MiB

            The guest's checks
              none: the guest did not get so far

            FAILED: 0 of 0 checks, 0.0 s
            """);
  }

  @Test
  void coloursOnlyWhereTheyAreWanted() {
    Terminal colours = new Terminal(false, true);
    assertThat(
            String.join("\n", ReportTable.of(SampleReports.failed(), Invalidation.LAZY, colours)))
        .contains("\u001b[31mFAIL\u001b[0m", "\u001b[32mok  \u001b[0m");
    assertThat(text(SampleReports.failed())).doesNotContain("\u001b");
  }

  @Test
  void noTranslationMeansNoHitRate() {
    assertThat(text(withDrains(0)))
        .contains("  IOTLB misses                         0\n")
        .doesNotContain("%");
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0 ns",
    "999, 999 ns",
    "1000, 1.0 us",
    "999999, 1000.0 us",
    "1000000, 1.0 ms",
    "1000000000, 1.0 s"
  })
  void theLongestDrainHasAUnitThatFits(long nanos, String text) {
    assertThat(text(withDrains(nanos))).contains("longest " + text);
  }

  private static BootReport withDrains(long maxNanos) {
    return new BootReport(
        new BootReport.GuestSummary("linux", "7", List.of()),
        Optional.of(
            new BootReport.IommuSummary(
                "vtd",
                "legacy",
                0,
                0,
                0,
                Map.of(),
                new BootReport.DrainSummary(1, 0, 0, maxNanos))),
        new BootReport.DiskSummary(0, 0),
        List.of(),
        Duration.ZERO,
        List.of());
  }

  private static String text(BootReport report) {
    return String.join("\n", ReportTable.of(report, Invalidation.STRICT, Terminal.NONE)) + "\n";
  }
}
