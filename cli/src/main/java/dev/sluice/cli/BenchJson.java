package dev.sluice.cli;

import dev.sluice.vm.BenchReport;
import dev.sluice.vm.BenchReport.Result;
import dev.sluice.vm.BenchReport.Work;
import dev.sluice.vm.check.GuestCheck;
import java.util.Optional;
import tools.jackson.core.JsonGenerator;

/// A benchmark's report for a program to read: one JSON object, whose members `docs/guide.md`
/// lists.
final class BenchJson {
  private final JsonGenerator json;

  private BenchJson(JsonGenerator json) {
    this.json = json;
  }

  static String of(BenchReport report) {
    return ReportJson.object(json -> new BenchJson(json).members(report));
  }

  private void members(BenchReport report) {
    json.writeObjectPropertyStart("bench");
    json.writeBooleanProperty("passed", report.passed());
    setting(report.setting());
    json.writeArrayPropertyStart("failures");
    for (GuestCheck failure : report.failures()) {
      json.writeStartObject();
      json.writeStringProperty("name", failure.name());
      json.writeStringProperty("detail", failure.detail());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeArrayPropertyStart("workloads");
    report.rows().forEach(this::row);
    json.writeEndArray();
    json.writeEndObject();
    ReportJson.stages(json, report.stages());
    json.writeNumberProperty("wallSeconds", ReportJson.seconds(report.wall()));
    ReportJson.strings(json, "notes", report.notes());
  }

  private void setting(BenchReport.Setting setting) {
    json.writeStringProperty("kernel", setting.kernel());
    json.writeStringProperty("qemu", setting.qemu());
    json.writeStringProperty("fio", setting.fio());
    json.writeStringProperty("iommu", Choice.word(setting.iommu()));
    json.writeStringProperty("invalidation", Choice.word(setting.invalidation()));
    json.writeStringProperty("accelerator", Choice.word(setting.accelerator()));
    json.writeNumberProperty("memoryMib", setting.memoryMib());
    json.writeNumberProperty("processors", setting.processors());
    json.writeNumberProperty("diskBytes", setting.diskBytes());
    json.writeNumberProperty("warmUpSeconds", setting.warmUp().toSeconds());
    json.writeNumberProperty("measuredSeconds", setting.measured().toSeconds());
  }

  private void row(BenchReport.Row row) {
    json.writeStartObject();
    json.writeStringProperty("name", row.workload());
    json.writeNumberProperty("blockBytes", row.blockBytes());
    json.writeNumberProperty("depth", row.depth());
    result("sluice", row.sluice());
    result("qemu", row.qemu());
    row.ratio().ifPresent(ratio -> json.writeNumberProperty("iopsRatio", ratio));
    row.work().ifPresent(this::work);
    json.writeEndObject();
  }

  private void result(String name, Optional<Result> measured) {
    if (measured.isEmpty()) {
      return;
    }
    Result result = measured.get();
    json.writeObjectPropertyStart(name);
    json.writeNumberProperty("iops", result.iops());
    json.writeNumberProperty("bytesPerSecond", result.bytesPerSecond());
    json.writeObjectPropertyStart("latencyMicros");
    json.writeNumberProperty("mean", result.meanMicros());
    json.writeNumberProperty("p50", result.p50Micros());
    json.writeNumberProperty("p99", result.p99Micros());
    json.writeNumberProperty("p999", result.p999Micros());
    json.writeEndObject();
    json.writeNumberProperty("interruptsPerIo", result.interruptsPerIo());
    json.writeEndObject();
  }

  private void work(Work work) {
    json.writeObjectPropertyStart("work");
    json.writeNumberProperty("ios", work.ios());
    json.writeNumberProperty("doorbells", work.doorbells());
    json.writeNumberProperty("interrupts", work.interrupts());
    json.writeNumberProperty("iommuWrites", work.iommuWrites());
    json.writeNumberProperty("iommuReads", work.iommuReads());
    json.writeNumberProperty("misses", work.misses());
    json.writeNumberProperty("invalidations", work.invalidations());
    json.writeNumberProperty("drains", work.drains());
    json.writeNumberProperty("delayedDrains", work.delayedDrains());
    json.writeEndObject();
  }
}
