package dev.sluice.cli;

import java.io.StringWriter;
import java.util.List;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/// What `serve` writes for a program: one JSON object in one line.
final class ServeJson {
  private ServeJson() {}

  static String of(List<String> qemuArguments, List<String> kernelArguments) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(ObjectWriteContext.empty(), text)) {
      json.writeStartObject();
      strings(json, "qemuArguments", qemuArguments);
      strings(json, "kernelArguments", kernelArguments);
      json.writeEndObject();
    }
    return text.append('\n').toString();
  }

  private static void strings(JsonGenerator json, String name, List<String> texts) {
    json.writeArrayPropertyStart(name);
    texts.forEach(json::writeString);
    json.writeEndArray();
  }
}
