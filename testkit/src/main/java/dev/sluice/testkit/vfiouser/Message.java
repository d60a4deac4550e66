package dev.sluice.testkit.vfiouser;

import dev.sluice.vfiouser.transport.Attachment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/// A message as it came from the server.
///
/// @param id chosen by who asked
/// @param command the command's number
/// @param flags bits 3:0 the type (1 is a reply), 4 no reply wanted, 5 error
/// @param errno counts with the error flag
/// @param payload what follows the 16 bytes of the header, little-endian
/// @param attachments what came with it
public record Message(
    int id, int command, int flags, int errno, ByteBuffer payload, List<Attachment> attachments) {
  private static final int TYPE = 0xf;
  private static final int REPLY = 1;
  private static final int ERROR = 0x20;

  static Message parse(byte[] bytes, List<Attachment> attachments) {
    ByteBuffer header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    return new Message(
        Short.toUnsignedInt(header.getShort(0)),
        Short.toUnsignedInt(header.getShort(2)),
        header.getInt(8),
        header.getInt(12),
        header.slice(16, bytes.length - 16).order(ByteOrder.LITTLE_ENDIAN),
        List.copyOf(attachments));
  }

  /// Whether this answers something.
  public boolean isReply() {
    return (flags & TYPE) == REPLY;
  }

  /// Whether this reports an error.
  public boolean isError() {
    return (flags & ERROR) != 0;
  }

  /// Bytes of the payload.
  public int length() {
    return payload.capacity();
  }

  /// The 32 bits at `offset` of the payload.
  public int u32(int offset) {
    return payload.getInt(offset);
  }

  /// The 64 bits at `offset` of the payload.
  public long u64(int offset) {
    return payload.getLong(offset);
  }

  /// The payload from `offset` on.
  public byte[] bytes(int offset) {
    byte[] copy = new byte[length() - offset];
    payload.get(offset, copy);
    return copy;
  }
}
