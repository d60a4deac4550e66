package dev.sluice.vfiouser.wire;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/// What one side can do, from its VERSION message (vfio-user, "Version data format"). Names that
/// are not known here are passed over.
///
/// @param maxMessageFds the most descriptors in one message to it
/// @param maxTransfer bytes, the most in one read or write of a region or of memory that it is
///   asked for
public record Capabilities(int maxMessageFds, long maxTransfer) {
  /// What holds for a side that says nothing.
  public static final Capabilities DEFAULT = new Capabilities(1, 1 << 20);

  /// Deep enough for `{"capabilities":{"migration":{...}}}` and one more.
  private static final int DEEPEST = 4;

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(DEEPEST)
                  .maxNumberLength(20)
                  .maxStringLength(1024)
                  .build())
          .build();

  /// The JSON text, without its NUL. Short, because QEMU takes no reply that is longer than its own
  /// message.
  public String toJson() {
    return "{\"capabilities\":{\"max_msg_fds\":"
        + maxMessageFds
        + ",\"max_data_xfer_size\":"
        + maxTransfer
        + "}}";
  }

  /// Reads the JSON text of a peer.
  ///
  /// @throws MalformedMessageException when it is no JSON object or a known name has a value that
  ///   makes no sense
  public static Capabilities parse(String json) throws MalformedMessageException {
    try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), json)) {
      Capabilities found = DEFAULT;
      expect(parser.nextToken(), JsonToken.START_OBJECT, "the text");
      while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
        String name = parser.currentName();
        JsonToken value = parser.nextToken();
        if (name.equals("capabilities")) {
          expect(value, JsonToken.START_OBJECT, name);
          found = parse(parser);
        } else {
          parser.skipChildren();
        }
      }
      if (parser.nextToken() != null) {
        throw new MalformedMessageException("something follows the capabilities in VERSION");
      }
      return found;
    } catch (JacksonException e) {
      // Jackson's own text speaks of its settings, and may quote the client.
      throw new MalformedMessageException(
          "capabilities in VERSION are no JSON after " + charactersRead(e) + " characters");
    }
  }

  private static long charactersRead(JacksonException e) {
    return e.getLocation() == null ? 0 : Math.max(0, e.getLocation().getCharOffset());
  }

  /// Reads the inner object, whose opening brace has been read.
  private static Capabilities parse(JsonParser parser) throws MalformedMessageException {
    int fds = DEFAULT.maxMessageFds;
    long transfer = DEFAULT.maxTransfer;
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      switch (name) {
        case "max_msg_fds" -> fds = (int) Math.min(number(parser, value, 0), Integer.MAX_VALUE);
        case "max_data_xfer_size" -> transfer = number(parser, value, 1);
        default -> parser.skipChildren();
      }
    }
    return new Capabilities(fds, transfer);
  }

  private static long number(JsonParser parser, @Nullable JsonToken token, long least)
      throws MalformedMessageException {
    String name = parser.currentName();
    expect(token, JsonToken.VALUE_NUMBER_INT, name);
    long value = parser.getLongValue();
    if (value < least) {
      throw new MalformedMessageException(name + " in VERSION is " + value);
    }
    return value;
  }

  private static void expect(@Nullable JsonToken token, JsonToken wanted, String what)
      throws MalformedMessageException {
    if (token != wanted) {
      throw new MalformedMessageException(
          what + " in VERSION is " + token + " where " + wanted + " has to be");
    }
  }
}
