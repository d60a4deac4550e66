package dev.sluice.cli;

import dev.sluice.vm.replay.ReplayException;
import dev.sluice.vm.replay.ReplayReport;
import dev.sluice.vm.replay.ReplayReport.Mismatch;
import java.io.StringWriter;
import java.util.function.Consumer;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/// What `replay` writes for a program: one JSON object in one line.
final class ReplayJson {
  private ReplayJson() {}

  /// A replay that came to its end, or to the first answer that differs.
  ///
  /// @param status of the command
  static String of(ReplayReport report, int status) {
    return line(json -> {
      json.writeBooleanProperty("exact", report.mismatch().isEmpty());
      json.writeNumberProperty("status", status);
      json.writeNumberProperty("lines", report.lines());
      json.writeNumberProperty("ignored", report.ignored());
      json.writeObjectPropertyStart("calls");
      json.writeNumberProperty("put", report.calls().puts());
      json.writeNumberProperty("putIndirect", report.calls().indirects());
      json.writeNumberProperty("stuff", report.calls().stuffs());
      json.writeNumberProperty("get", report.calls().gets());
      json.writeNumberProperty("windows", report.calls().windows());
      json.writeEndObject();
      json.writeNumberProperty("translations", report.translations());
      json.writeObjectPropertyStart("listEntries");
      json.writeNumberProperty("derived", report.lists().derived());
      json.writeNumberProperty("confirmed", report.lists().confirmed());
      json.writeNumberProperty("corrected", report.lists().corrected());
      json.writeEndObject();
      report.mismatch().ifPresent(mismatch -> write(json, mismatch));
    });
  }

  /// A recording that could not be replayed.
  ///
  /// @param status of the command
  static String of(ReplayException failure, int status) {
    return line(json -> {
      json.writeBooleanProperty("exact", false);
      json.writeNumberProperty("status", status);
      json.writeObjectPropertyStart("error");
      json.writeStringProperty("message", failure.getMessage());
      json.writeEndObject();
    });
  }

  private static String line(Consumer<JsonGenerator> members) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(ObjectWriteContext.empty(), text)) {
      json.writeStartObject();
      members.accept(json);
      json.writeEndObject();
    }
    return text.append('\n').toString();
  }

  private static void write(JsonGenerator json, Mismatch mismatch) {
    json.writeObjectPropertyStart("mismatch");
    json.writeNumberProperty("line", mismatch.line());
    json.writeStringProperty("text", mismatch.text());
    json.writeStringProperty("recorded", mismatch.recorded());
    json.writeStringProperty("cameOut", mismatch.cameOut());
    json.writeEndObject();
  }
}
