package dev.sluice.cli;

import dev.sluice.vm.BootReport;
import dev.sluice.vm.BootReport.DrainSummary;
import dev.sluice.vm.BootReport.IommuSummary;
import dev.sluice.vm.BootReport.Stage;
import dev.sluice.vm.check.GuestCheck;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.PrettyPrinter;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.DefaultPrettyPrinter;

/// A boot's report for a program to read: one JSON object, whose members `docs/guide.md` lists.
final class ReportJson {
  private static final ObjectWriteContext INDENTED =
      new ObjectWriteContext.Base() {
        @Override
        public PrettyPrinter getPrettyPrinter() {
          return new DefaultPrettyPrinter();
        }

        @Override
        public boolean hasPrettyPrinter() {
          return true;
        }
      };

  private final JsonGenerator json;

  private ReportJson(JsonGenerator json) {
    this.json = json;
  }

  /// The report of a boot that came to its end.
  static String of(BootReport report) {
    return object(json -> new ReportJson(json).report(report));
  }

  /// What there is to say of a boot that did not: `guest.passed` is false, and `error` says why.
  ///
  /// @param stages those that ended, the failed one included
  static String of(BootFailure failure, List<Stage> stages, Duration wall) {
    return object(json -> new ReportJson(json).failure(failure, stages, wall));
  }

  /// Text of one JSON object with a line end, made by `members`.
  static String object(Consumer<JsonGenerator> members) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(INDENTED, text)) {
      json.writeStartObject();
      members.accept(json);
      json.writeEndObject();
    }
    return text.append('\n').toString();
  }

  private void report(BootReport report) {
    BootReport.GuestSummary guest = report.guest();
    json.writeObjectPropertyStart("guest");
    json.writeStringProperty("kind", guest.kind());
    json.writeStringProperty("kernel", guest.kernel());
    json.writeBooleanProperty("passed", guest.passed());
    checks(guest.checks());
    json.writeEndObject();
    iommu(report.iommu());
    json.writeObjectPropertyStart("disk");
    json.writeNumberProperty("bytesRead", report.disk().bytesRead());
    json.writeNumberProperty("bytesWritten", report.disk().bytesWritten());
    json.writeEndObject();
    stages(json, report.stages());
    json.writeNumberProperty("wallSeconds", seconds(report.wall()));
    strings(json, "notes", report.notes());
  }

  private void failure(BootFailure failure, List<Stage> stages, Duration wall) {
    json.writeObjectPropertyStart("guest");
    json.writeBooleanProperty("passed", false);
    checks(List.of());
    json.writeEndObject();
    stages(json, stages);
    json.writeNumberProperty("wallSeconds", seconds(wall));
    json.writeObjectPropertyStart("error");
    failure.stage().ifPresent(stage -> json.writeStringProperty("stage", stage));
    json.writeStringProperty("message", failure.message());
    json.writeStringProperty("advice", failure.advice());
    strings(json, "console", failure.console());
    failure.log().ifPresent(log -> json.writeStringProperty("log", log.toString()));
    json.writeEndObject();
  }

  private void checks(List<GuestCheck> checks) {
    json.writeArrayPropertyStart("checks");
    for (GuestCheck check : checks) {
      json.writeStartObject();
      json.writeStringProperty("name", check.name());
      json.writeBooleanProperty("passed", check.passed());
      json.writeStringProperty("detail", check.detail());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private void iommu(Optional<IommuSummary> summary) {
    json.writeObjectPropertyStart("iommu");
    if (summary.isEmpty()) {
      json.writeStringProperty("model", "none");
      json.writeEndObject();
      return;
    }
    IommuSummary iommu = summary.get();
    json.writeStringProperty("model", iommu.model());
    json.writeStringProperty("mode", iommu.mode());
    json.writeNumberProperty("iotlbMisses", iommu.iotlbMisses());
    json.writeNumberProperty("walks", iommu.walks());
    json.writeNumberProperty("faults", iommu.faults());
    json.writeObjectPropertyStart("invalidations");
    iommu.invalidations().forEach(json::writeNumberProperty);
    json.writeEndObject();
    DrainSummary drains = iommu.drains();
    json.writeObjectPropertyStart("drains");
    json.writeNumberProperty("count", drains.count());
    json.writeNumberProperty("delayed", drains.delayed());
    json.writeNumberProperty("revocations", drains.revocations());
    json.writeNumberProperty("maxNanos", drains.maxNanos());
    json.writeEndObject();
    json.writeEndObject();
  }

  /// What took how long.
  static void stages(JsonGenerator json, List<Stage> stages) {
    json.writeArrayPropertyStart("stages");
    for (Stage stage : stages) {
      json.writeStartObject();
      json.writeStringProperty("name", stage.name());
      json.writeNumberProperty("seconds", seconds(stage.took()));
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  /// An array of texts.
  static void strings(JsonGenerator json, String name, List<String> texts) {
    json.writeArrayPropertyStart(name);
    texts.forEach(json::writeString);
    json.writeEndArray();
  }

  /// To the millisecond: the clock is no better than that across a boot.
  static double seconds(Duration time) {
    return time.toMillis() / 1000.0;
  }
}
