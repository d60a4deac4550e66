package dev.sluice.cli;

import dev.sluice.vm.BenchReport;
import dev.sluice.vm.BootOptions;
import dev.sluice.vm.BootReport;
import dev.sluice.vm.check.GuestCheck;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reports as a boot makes them.
final class SampleReports {
  private SampleReports() {}

  /// A Linux behind VT-d whose checks pass.
  static BootReport passed() {
    return of(
        List.of(
            GuestCheck.pass("dmar-unit", "DMAR: dmar0: reg_base_addr febfb000"),
            GuestCheck.pass("disk-read", "33554432 bytes have sha256 ab12")),
        List.of());
  }

  /// The same with a check that failed and a note.
  static BootReport failed() {
    return of(
        List.of(
            GuestCheck.pass("dmar-unit", "DMAR: dmar0: reg_base_addr febfb000"),
            GuestCheck.fail("disk-read", "33554432 bytes have sha256 00, expected ab12")),
        List.of("There is no KVM here: TCG was used."));
  }

  /// An in-process guest without an IOMMU that made no check.
  static BootReport empty() {
    return new BootReport(
        new BootReport.GuestSummary("in-process", "in-process guest", List.of()),
        Optional.empty(),
        new BootReport.DiskSummary(0, 0),
        List.of(),
        Duration.ZERO,
        List.of());
  }

  /// A benchmark of one workload, measured on both sides.
  static BenchReport measured() {
    BenchReport.Result sluice = new BenchReport.Result(6_000, 24_576_000, 155, 150, 400, 900, 1);
    BenchReport.Result qemu = new BenchReport.Result(5_000, 20_480_000, 190, 180, 350, 1_000, 0.5);
    BenchReport.Work work =
        new BenchReport.Work(40_000, 80_000, 40_000, 40_000, 20_000, 44_000, 40_000, 40_004, 12);
    return bench(
        new BenchReport.Row(
            "randread-4k-qd1", 4096, 1, Optional.of(sluice), Optional.of(qemu), Optional.of(work)),
        List.of());
  }

  /// The same without QEMU's half.
  static BenchReport halfMeasured() {
    BenchReport.Result sluice = new BenchReport.Result(6_000, 24_576_000, 155, 150, 400, 900, 1);
    return bench(
        new BenchReport.Row(
            "randread-4k-qd1", 4096, 1, Optional.of(sluice), Optional.empty(), Optional.empty()),
        List.of(GuestCheck.fail("workloads", "on QEMU's devices: fio failed")));
  }

  private static BenchReport bench(BenchReport.Row row, List<GuestCheck> failures) {
    return new BenchReport(
        new BenchReport.Setting(
            "7.3.4+deb13-amd64",
            "11.1.3",
            "fio-3.39",
            BootOptions.IommuKind.VTD,
            BootOptions.Invalidation.STRICT,
            BootOptions.Accelerator.TCG,
            512,
            2,
            128 << 20,
            Duration.ofSeconds(2),
            Duration.ofSeconds(5)),
        List.of(row),
        failures,
        List.of(new BootReport.Stage("kit", Duration.ofMillis(321))),
        Duration.ofMillis(98_760),
        List.of());
  }

  private static BootReport of(List<GuestCheck> checks, List<String> notes) {
    Map<String, Long> invalidations = new LinkedHashMap<>();
    invalidations.put("contextGlobal", 3L);
    invalidations.put("iotlbPage", 4_318L);
    return new BootReport(
        new BootReport.GuestSummary("linux", "7.3.4+deb13-amd64", checks),
        Optional.of(
            new BootReport.IommuSummary(
                "vtd",
                "legacy",
                412_345,
                2_323,
                1,
                invalidations,
                new BootReport.DrainSummary(4_321, 12, 0, 310_000))),
        new BootReport.DiskSummary(67_108_864, 2_097_152),
        List.of(
            new BootReport.Stage("kit", Duration.ofMillis(321)),
            new BootReport.Stage("guest", Duration.ofMillis(9_876))),
        Duration.ofMillis(10_250),
        notes);
  }
}
