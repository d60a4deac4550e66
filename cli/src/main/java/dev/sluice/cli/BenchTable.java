package dev.sluice.cli;

import dev.sluice.cli.Terminal.Style;
import dev.sluice.vm.BenchReport;
import dev.sluice.vm.BenchReport.Result;
import dev.sluice.vm.BenchReport.Work;
import dev.sluice.vm.BootOptions;
import dev.sluice.vm.check.GuestCheck;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/// A benchmark's report for a person to read.
final class BenchTable {
  private static final int NAME_WIDTH = 20;
  private static final int COLUMN_WIDTH = 9;
  private static final String MISSING = "-";

  private final BenchReport report;
  private final Terminal terminal;
  private final List<String> lines = new ArrayList<>();

  private BenchTable(BenchReport report, Terminal terminal) {
    this.report = report;
    this.terminal = terminal;
  }

  /// The lines of the report.
  ///
  /// @param terminal what the output permits
  static List<String> of(BenchReport report, Terminal terminal) {
    BenchTable table = new BenchTable(report, terminal);
    table.title();
    table.comparison("I/Os per second", Result::iops, "%,.0f", false);
    table.comparison("MB per second", result -> result.bytesPerSecond() / 1e6, "%,.1f", false);
    table.comparison("Latency, median, us", Result::p50Micros, "%,.0f", true);
    table.comparison("Latency, 99 %, us", Result::p99Micros, "%,.0f", true);
    table.comparison("Latency, 99.9 %, us", Result::p999Micros, "%,.0f", true);
    table.comparison("Interrupts per I/O", Result::interruptsPerIo, "%.2f", true);
    table.work();
    table.ending();
    return table.lines;
  }

  private void title() {
    BenchReport.Setting setting = report.setting();
    boolean behind = setting.iommu() != BootOptions.IommuKind.NONE;
    lines.add(
        terminal.paint(
            Style.BOLD,
            behind
                ? "Sluice's NVMe behind Sluice's VT-d and QEMU's nvme behind QEMU's intel-iommu"
                : "Sluice's NVMe and QEMU's nvme, without an IOMMU"));
    lines.add(
        "  Linux %s, %sQEMU %s with %s, %d processors, %d MiB of RAM, disk of %d MiB"
            .formatted(
                setting.kernel(),
                behind ? Choice.word(setting.invalidation()) + " invalidation, " : "",
                setting.qemu(),
                setting.accelerator().name(),
                setting.processors(),
                setting.memoryMib(),
                setting.diskBytes() >> 20));
    lines.add(
        "  %s, libaio, O_DIRECT, %d s a workload after %d s of warm-up; images in the host's page cache"
            .formatted(
                setting.fio(), setting.measured().toSeconds(), setting.warmUp().toSeconds()));
  }

  /// One number of all workloads, Sluice's beside QEMU's.
  ///
  /// @param lowerIsBetter whether a ratio above 1 is to Sluice's disadvantage
  private void comparison(
      String what, ToDoubleFunction<Result> number, String format, boolean lowerIsBetter) {
    heading(what, "Sluice", "QEMU", "ratio");
    for (BenchReport.Row row : report.rows()) {
      Optional<Double> ours = row.sluice().map(number::applyAsDouble);
      Optional<Double> theirs = row.qemu().map(number::applyAsDouble);
      row(
          row.workload(),
          List.of(
              ours.map(value -> text(format, value)).orElse(MISSING),
              theirs.map(value -> text(format, value)).orElse(MISSING),
              ratio(ours, theirs, lowerIsBetter)));
    }
  }

  private String ratio(Optional<Double> ours, Optional<Double> theirs, boolean lowerIsBetter) {
    if (ours.isEmpty() || theirs.isEmpty() || theirs.get() == 0) {
      return MISSING;
    }
    double ratio = ours.get() / theirs.get();
    boolean good = lowerIsBetter ? ratio <= 1 : ratio >= 1;
    String padded = " ".repeat(COLUMN_WIDTH) + text("%.2fx", ratio);
    String column = padded.substring(padded.length() - COLUMN_WIDTH);
    return good ? terminal.paint(Style.GREEN, column) : column;
  }

  /// What Sluice did for each I/O: where its time goes.
  private void work() {
    if (report.rows().stream().allMatch(row -> row.work().isEmpty())) {
      return;
    }
    boolean behind = report.setting().iommu() != BootOptions.IommuKind.NONE;
    List<String> titles = new ArrayList<>(List.of("I/Os", "doorbells", "interr."));
    if (behind) {
      titles.addAll(List.of("IOMMU wr", "IOMMU rd", "misses", "invalid.", "waited"));
    }
    heading("Sluice, for each I/O", titles.toArray(String[]::new));
    for (BenchReport.Row row : report.rows()) {
      row.work().ifPresent(work -> row(row.workload(), columns(work, behind)));
    }
  }

  private static List<String> columns(Work work, boolean behind) {
    List<String> columns = new ArrayList<>();
    columns.add(text("%,.0f", (double) work.ios()));
    columns.add(perIo(work, Work::doorbells));
    columns.add(perIo(work, Work::interrupts));
    if (behind) {
      columns.add(perIo(work, Work::iommuWrites));
      columns.add(perIo(work, Work::iommuReads));
      columns.add(perIo(work, Work::misses));
      columns.add(perIo(work, Work::invalidations));
      columns.add(perIo(work, Work::delayedDrains));
    }
    return columns;
  }

  private static String perIo(Work work, ToLongFunction<Work> number) {
    return work.ios() == 0 ? MISSING : text("%.2f", (double) number.applyAsLong(work) / work.ios());
  }

  private void ending() {
    if (!report.notes().isEmpty()) {
      lines.add("");
    }
    for (String note : report.notes()) {
      lines.add(terminal.paint(Style.YELLOW, "Note:") + " " + note);
    }
    lines.add("");
    for (GuestCheck failure : report.failures()) {
      lines.add(
          "  %s  %s  %s"
              .formatted(terminal.paint(Style.RED, "FAIL"), failure.name(), failure.detail()));
    }
    long measured = report.rows().stream().filter(row -> row.ratio().isPresent()).count();
    lines.add(
        "%s: %d of %d workloads on both, %s s"
            .formatted(
                report.passed()
                    ? terminal.paint(Style.GREEN, "MEASURED")
                    : terminal.paint(Style.RED, "FAILED"),
                measured,
                report.rows().size(),
                text("%.1f", report.wall().toNanos() / 1e9)));
  }

  private void heading(String name, String... titles) {
    lines.add("");
    StringBuilder line = new StringBuilder(terminal.paint(Style.BOLD, name));
    line.append(" ".repeat(Math.max(1, NAME_WIDTH + 2 - name.length())));
    for (String title : titles) {
      line.append(" ").append(" ".repeat(COLUMN_WIDTH - title.length())).append(title);
    }
    lines.add(line.toString());
  }

  private void row(String name, List<String> columns) {
    StringBuilder line = new StringBuilder("  " + name);
    line.append(" ".repeat(Math.max(1, NAME_WIDTH - name.length())));
    for (String column : columns) {
      line.append(" ").append(" ".repeat(Math.max(0, COLUMN_WIDTH - column.length())));
      line.append(column);
    }
    lines.add(line.toString());
  }

  private static String text(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }
}
