package dev.sluice.cli;

import dev.sluice.vm.replay.ReplayReport;
import dev.sluice.vm.replay.ReplayReport.Mismatch;
import java.io.StringWriter;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/// What `replay` prints for a program: one JSON object in one line.
final class ReplayJson {
  private ReplayJson() {}

  static String of(ReplayReport report) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(ObjectWriteContext.empty(), text)) {
      json.writeStartObject();
      json.writeBooleanProperty("exact", report.mismatch().isEmpty());
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
      json.writeEndObject();
    }
    return text.toString();
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
