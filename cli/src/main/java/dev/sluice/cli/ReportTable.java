package dev.sluice.cli;

import dev.sluice.cli.Terminal.Style;
import dev.sluice.vm.BootOptions;
import dev.sluice.vm.BootReport;
import dev.sluice.vm.BootReport.DrainSummary;
import dev.sluice.vm.BootReport.IommuSummary;
import dev.sluice.vm.check.GuestCheck;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// A boot's report for a person to read.
final class ReportTable {
  private static final int NAME_WIDTH = 26;
  private static final int VALUE_WIDTH = 14;

  private final BootReport report;
  private final Terminal terminal;
  private final List<String> lines = new ArrayList<>();

  private ReportTable(BootReport report, Terminal terminal) {
    this.report = report;
    this.terminal = terminal;
  }

  /// The lines of the report.
  ///
  /// @param invalidation the mode that was asked for
  /// @param terminal what the output permits
  static List<String> of(
      BootReport report, BootOptions.Invalidation invalidation, Terminal terminal) {
    ReportTable table = new ReportTable(report, terminal);
    table.title(invalidation);
    table.stages();
    report.iommu().ifPresent(table::iommu);
    table.disk();
    table.checks();
    table.notes();
    table.verdict();
    return table.lines;
  }

  private void title(BootOptions.Invalidation invalidation) {
    BootReport.GuestSummary guest = report.guest();
    String who = guest.kind().equals("linux") ? "Linux " + guest.kernel() : guest.kernel();
    String behind =
        report
            .iommu()
            .map(iommu ->
                " behind %s (%s mode, %s invalidation)"
                    .formatted(iommu.model(), iommu.mode(), Choice.word(invalidation)))
            .orElse(" without an IOMMU");
    lines.add(terminal.paint(Style.BOLD, who + behind));
  }

  private void stages() {
    heading("Stages", "seconds");
    for (BootReport.Stage stage : report.stages()) {
      row(1, stage.name(), seconds(stage.took()), "");
    }
    row(1, "all of it", seconds(report.wall()), "");
  }

  private void iommu(IommuSummary iommu) {
    heading("IOMMU", "");
    row(1, "IOTLB misses", number(iommu.iotlbMisses()), "");
    row(1, "page walks", number(iommu.walks()), "");
    row(1, "faults", number(iommu.faults()), "");
    row(1, "invalidations", "", "");
    iommu.invalidations().forEach((kind, count) -> row(2, words(kind), number(count), ""));
    DrainSummary drains = iommu.drains();
    row(
        1,
        "drains",
        number(drains.count()),
        "%s waited, %s revoked, longest %s"
            .formatted(
                number(drains.delayed()), number(drains.revocations()), nanos(drains.maxNanos())));
  }

  private void disk() {
    heading("Disk", "bytes");
    row(1, "read", number(report.disk().bytesRead()), mebibytes(report.disk().bytesRead()));
    row(
        1,
        "written",
        number(report.disk().bytesWritten()),
        mebibytes(report.disk().bytesWritten()));
  }

  private void checks() {
    heading("The guest's checks", "");
    int width = 0;
    for (GuestCheck check : report.guest().checks()) {
      width = Math.max(width, check.name().length());
    }
    for (GuestCheck check : report.guest().checks()) {
      String mark =
          check.passed() ? terminal.paint(Style.GREEN, "ok  ") : terminal.paint(Style.RED, "FAIL");
      String name = check.name() + " ".repeat(width - check.name().length());
      lines.add(("  " + mark + "  " + name + "  " + check.detail()).stripTrailing());
    }
    if (report.guest().checks().isEmpty()) {
      lines.add("  none: the guest did not get so far");
    }
  }

  private void notes() {
    if (!report.notes().isEmpty()) {
      lines.add("");
    }
    for (String note : report.notes()) {
      lines.add(terminal.paint(Style.YELLOW, "Note:") + " " + note);
    }
  }

  private void verdict() {
    List<GuestCheck> checks = report.guest().checks();
    long passed = checks.stream().filter(GuestCheck::passed).count();
    String word =
        report.passed()
            ? terminal.paint(Style.GREEN, "PASSED")
            : terminal.paint(Style.RED, "FAILED");
    lines.add("");
    lines.add(
        "%s: %d of %d checks, %s s".formatted(word, passed, checks.size(), seconds(report.wall())));
  }

  private void heading(String name, String unit) {
    lines.add("");
    String padded = name + " ".repeat(NAME_WIDTH - name.length());
    lines.add(
        (terminal.paint(Style.BOLD, name) + padded.substring(name.length()))
            .concat(unit.isEmpty() ? "" : " ".repeat(VALUE_WIDTH - unit.length()) + unit)
            .stripTrailing());
  }

  private void row(int depth, String name, String value, String remark) {
    int nameWidth = NAME_WIDTH - 2 * depth;
    lines.add(
        ("  ".repeat(depth) + "%-" + nameWidth + "s%" + VALUE_WIDTH + "s  %s")
            .formatted(name, value, remark)
            .stripTrailing());
  }

  /// `iotlbPage` as `iotlb page`.
  private static String words(String camelCase) {
    return camelCase.replaceAll("([A-Z])", " $1").toLowerCase(Locale.ROOT);
  }

  private static String number(long value) {
    return String.format(Locale.ROOT, "%,d", value);
  }

  private static String seconds(Duration time) {
    return String.format(Locale.ROOT, "%.1f", time.toNanos() / 1e9);
  }

  private static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f MiB", bytes / (double) (1 << 20));
  }

  private static String nanos(long nanos) {
    if (nanos < 1_000) {
      return nanos + " ns";
    }
    if (nanos < 1_000_000) {
      return String.format(Locale.ROOT, "%.1f us", nanos / 1e3);
    }
    return nanos < 1_000_000_000
        ? String.format(Locale.ROOT, "%.1f ms", nanos / 1e6)
        : String.format(Locale.ROOT, "%.1f s", nanos / 1e9);
  }
}
