package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.vm.BenchReport;
import org.junit.jupiter.api.Test;

class BenchTableTest {
  @Test
  void showsBothSidesTheirRatioAndWhatSluiceDid() {
    assertThat(text(SampleReports.measured(), Terminal.NONE))
        .isEqualTo(
            """
            Sluice's NVMe behind Sluice's VT-d and QEMU's nvme behind QEMU's intel-iommu
              Linux 7.3.4+deb13-amd64, strict invalidation, QEMU 11.1.3 with TCG, 2 processors, 512 MiB of RAM, disk of 128 MiB
              fio-3.39, libaio, O_DIRECT, 5 s a workload after 2 s of warm-up; images in the host's page cache

            I/Os per second           Sluice      QEMU     ratio
              randread-4k-qd1          6,000     5,000     1.20x

            MB per second             Sluice      QEMU     ratio
              randread-4k-qd1           24.6      20.5     1.20x

            Latency, median, us       Sluice      QEMU     ratio
              randread-4k-qd1            150       180     0.83x

            Latency, 99 %, us         Sluice      QEMU     ratio
              randread-4k-qd1            400       350     1.14x

            Latency, 99.9 %, us       Sluice      QEMU     ratio
              randread-4k-qd1            900     1,000     0.90x

            Interrupts per I/O        Sluice      QEMU     ratio
              randread-4k-qd1           1.00      0.50     2.00x

            Sluice, for each I/O        I/Os doorbells   interr.  IOMMU wr  IOMMU rd    misses  invalid.    waited
              randread-4k-qd1         40,000      2.00      1.00      1.00      0.50      1.10      1.00      0.00

            MEASURED: 1 of 1 workloads on both, 98.8 s
            """);
  }

  @Test
  void whatWasNotMeasuredIsADashAndItsReasonFollows() {
    assertThat(text(SampleReports.halfMeasured(), Terminal.NONE))
        .contains("  randread-4k-qd1          6,000         -         -\n")
        .doesNotContain("Sluice, for each I/O")
        .endsWith(
            """

              FAIL  workloads  on QEMU's devices: fio failed
            FAILED: 0 of 1 workloads on both, 98.8 s
            """);
  }

  @Test
  void aRatioInSluicesFavourIsGreenWhereColoursAreWanted() {
    assertThat(text(SampleReports.measured(), new Terminal(false, true)))
        .contains("\u001b[32m    1.20x\u001b[0m", "\u001b[32m    0.83x\u001b[0m", "     1.14x\n");
  }

  private static String text(BenchReport report, Terminal terminal) {
    return String.join("\n", BenchTable.of(report, terminal)) + "\n";
  }
}
