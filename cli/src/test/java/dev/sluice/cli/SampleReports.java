package dev.sluice.cli;

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
