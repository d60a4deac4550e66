package dev.sluice.bench;

import java.io.StringWriter;
import java.util.List;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/// The rows for programs: an array of objects. A row that is compared with two things is there
/// twice; C's own rows are there, too.
final class JsonRows {
  private JsonRows() {}

  static String of(List<Row> rows) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(ObjectWriteContext.empty(), text)) {
      json.writeStartArray();
      for (Row row : rows) {
        json.writeStartObject();
        json.writeStringProperty("name", row.name());
        json.writeStringProperty("unit", Row.UNIT);
        json.writeNumberProperty("score", row.score().value());
        json.writeNumberProperty("error", row.score().error());
        json.writeStringProperty("comparedTo", row.comparedTo());
        number(json, "ratio", row.ratio());
        if (row.target() != null) {
          json.writeStringProperty("target", row.target().toString());
        }
        Boolean met = row.met();
        if (met != null) {
          json.writeBooleanProperty("met", met);
        }
        if (!row.isC()) {
          json.writeNumberProperty("bytesPerOp", row.bytesPerOp());
        }
        json.writeEndObject();
      }
      json.writeEndArray();
    }
    return text + "\n";
  }

  private static void number(JsonGenerator json, String name, double value) {
    if (Double.isNaN(value)) {
      json.writeNullProperty(name);
    } else {
      json.writeNumberProperty(name, value);
    }
  }
}
