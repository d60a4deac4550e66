package dev.sluice.vfiouser.wire;

import static dev.sluice.vfiouser.wire.Fields.U16;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/// VERSION, both ways (vfio-user, "VFIO_USER_VERSION"):
///
/// ```
///  16      18      20
///  | major | minor | capabilities as JSON, NUL-terminated; may be left out
/// ```
public final class VersionMessage {
  private static final long MAJOR = Header.BYTES;
  private static final long MINOR = Header.BYTES + 2;
  private static final long JSON = Header.BYTES + 4;

  /// The longest capabilities text that is looked at. QEMU sends 194 bytes; what is much longer is
  /// an attack on the parser.
  private static final int LONGEST_JSON = 4096;

  private VersionMessage() {}

  /// The major version.
  ///
  /// @throws MalformedMessageException when the message is too short for one
  public static int major(MemorySegment message) throws MalformedMessageException {
    if (message.byteSize() < JSON) {
      throw new MalformedMessageException(
          "VERSION of " + message.byteSize() + " bytes has no version in it");
    }
    return Short.toUnsignedInt(message.get(U16, MAJOR));
  }

  /// The minor version; after [#major].
  public static int minor(MemorySegment message) {
    return Short.toUnsignedInt(message.get(U16, MINOR));
  }

  /// What the client says that it can do; after [#major].
  ///
  /// @throws MalformedMessageException when it is not NUL-terminated, too long or not the JSON it
  ///   should be
  public static Capabilities capabilities(MemorySegment message) throws MalformedMessageException {
    int length = (int) Math.min(message.byteSize() - JSON, LONGEST_JSON + 1L);
    if (length == 0) {
      return Capabilities.DEFAULT;
    }
    if (length > LONGEST_JSON) {
      throw new MalformedMessageException(
          "capabilities in VERSION are longer than " + LONGEST_JSON + " bytes");
    }
    byte[] json = message.asSlice(JSON, length).toArray(JAVA_BYTE);
    for (int i = 0; i < length; i++) {
      if ((json[i] == 0) != (i == length - 1)) {
        throw new MalformedMessageException(
            "capabilities in VERSION do not end with their only NUL");
      }
    }
    return Capabilities.parse(new String(json, 0, length - 1, StandardCharsets.UTF_8));
  }

  /// Writes the payload of the reply.
  ///
  /// @return the message's size
  public static long putReply(MemorySegment message, int major, int minor, Capabilities ours) {
    byte[] json = ours.toJson().getBytes(StandardCharsets.UTF_8);
    message.set(U16, MAJOR, (short) major);
    message.set(U16, MINOR, (short) minor);
    MemorySegment.copy(json, 0, message, JAVA_BYTE, JSON, json.length);
    message.set(JAVA_BYTE, JSON + json.length, (byte) 0);
    return JSON + json.length + 1;
  }
}
