package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Boots a real Linux in a real QEMU. Where neither can be had, these tests fail: what they are for
/// was not tested.
@Tag("guest")
class RealGuestTest {
  private static final String[] BEHIND_VTD = {
    "dmar-unit",
    "queued-invalidation",
    "disk-found",
    "iommu-group",
    "disk-read",
    "disk-write",
    "rebind",
    "kernel-log",
    "test-device",
    "dma-blocked",
    "dma-fault",
    "unmap-waits",
    "unmap-revokes",
    "disk-written"
  };

  @TempDir private Path folder;

  @Test
  void linuxUsesItsDiskThroughTheVtdInStrictMode() throws IOException {
    WholeCommand boot = WholeCommand.boot(folder, "--invalidation=strict");
    passed(boot, BEHIND_VTD);
    behindVtd(boot);
    assertThat(boot.checks().get("iommu-group")).contains("type DMA (strict");
    assertThat(boot.number("iommu.invalidations.iotlbPage"))
        .as("one unmap, one page-selective invalidation at once")
        .isGreaterThan(100);
    assertThat(boot.number("iommu.invalidations.iotlbGlobal")).isLessThan(10);
  }

  @Test
  void linuxUsesItsDiskThroughTheVtdInLazyMode() throws IOException {
    WholeCommand boot = WholeCommand.boot(folder, "--invalidation=lazy");
    passed(boot, BEHIND_VTD);
    behindVtd(boot);
    assertThat(boot.checks().get("iommu-group")).contains("type DMA-FQ (lazy");
    assertThat(boot.number("iommu.invalidations.iotlbDomain"))
        .as("the flush queue invalidates whole domains")
        .isPositive();
  }

  @Test
  void linuxUsesItsDiskWithoutAnIommuWhereTheStrayDmaArrives() throws IOException {
    WholeCommand boot = WholeCommand.boot(folder, "--iommu=none");
    passed(
        boot,
        "no-iommu",
        "disk-found",
        "disk-read",
        "disk-write",
        "rebind",
        "kernel-log",
        "test-device",
        "dma-arrived",
        "disk-written");
    assertThat(boot.json("iommu.model")).isEqualTo("none");
  }

  @Test
  void aBenchmarkMeasuresEveryWorkloadInBothGuests() throws IOException {
    WholeCommand bench =
        WholeCommand.boot(folder, "--bench", "--bench-seconds=1", "--invalidation=strict");
    assertThat(bench.status()).as("%s", bench).isZero();
    assertThat(bench.json("bench.passed")).isEqualTo(true);
    for (int i = 0; i < 6; i++) {
      String workload = "bench.workloads." + i + ".";
      for (String side : List.of("sluice.", "qemu.")) {
        assertThat(bench.number(workload + side + "iops")).isPositive();
        double median = bench.number(workload + side + "latencyMicros.p50");
        assertThat(median).isPositive();
        assertThat(bench.number(workload + side + "latencyMicros.p999"))
            .isGreaterThanOrEqualTo(median);
      }
      String work = workload + "work.";
      for (String counted : List.of("ios", "doorbells", "interrupts", "iommuWrites")) {
        assertThat(bench.number(work + counted)).as(counted).isPositive();
      }
      assertThat(bench.number(work + "invalidations"))
          .as("strict: one for each I/O's unmap, but for those in flight at the workload's ends")
          .isGreaterThan(bench.number(work + "ios") / 2);
    }
    assertThat(bench.out()).contains("MEASURED: 6 of 6 workloads on both");
  }

  @Test
  void aDiskOfTheUsersIsReadAndLeftAsItWas() throws IOException {
    Path disk = folder.resolve("disk.img");
    byte[] content = new byte[(3 << 20) + 512];
    for (int i = 0; i < content.length; i++) {
      content[i] = (byte) (i * 31 + (i >> 9));
    }
    Files.write(disk, content);
    WholeCommand boot = WholeCommand.boot(folder, "--disk=" + disk);
    assertThat(boot.status()).as("%s", boot).isZero();
    assertThat(boot.checks()).containsKey("disk-read").doesNotContainKey("disk-write");
    assertThat(boot.checks().get("disk-found")).contains(content.length + " bytes");
    assertThat(Files.readAllBytes(disk)).isEqualTo(content);
  }

  private static void passed(WholeCommand boot, String... checks) {
    assertThat(boot.status()).as("%s", boot).isZero();
    assertThat(boot.json("guest.kind")).as("%s", boot.json("notes")).isEqualTo("linux");
    assertThat(boot.json("guest.passed")).isEqualTo(true);
    assertThat(boot.checks().keySet()).containsExactlyInAnyOrder(checks);
    assertThat(boot.checks().values()).allMatch(check -> check.startsWith("ok "));
    assertThat(boot.number("disk.bytesRead")).as("the whole disk").isGreaterThan(32 << 20);
    assertThat(boot.number("disk.bytesWritten")).isPositive();
    assertThat(boot.out()).contains("PASSED: " + checks.length + " of " + checks.length);
  }

  private static void behindVtd(WholeCommand boot) {
    assertThat(boot.json("iommu.model")).isEqualTo("vtd");
    assertThat(boot.json("iommu.mode")).isEqualTo("legacy");
    assertThat(boot.number("iommu.walks")).isPositive();
    assertThat(boot.number("iommu.iotlbMisses"))
        .as("those of them that walked")
        .isGreaterThanOrEqualTo(boot.number("iommu.walks"));
    assertThat(boot.number("iommu.faults")).as("the one on purpose").isOne();
    assertThat(boot.number("iommu.drains.count")).isPositive();
    assertThat(boot.number("iommu.drains.revocations")).as("that of unmap-revokes").isPositive();
  }
}
