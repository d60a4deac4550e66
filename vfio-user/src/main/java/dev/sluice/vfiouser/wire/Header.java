package dev.sluice.vfiouser.wire;

import static dev.sluice.vfiouser.wire.Fields.U16;
import static dev.sluice.vfiouser.wire.Fields.U32;

import dev.sluice.host.Errno;
import java.lang.foreign.MemorySegment;

/// The header of every message, 16 bytes (vfio-user, "Header"):
///
/// ```
///  0    2         4              8       12      16
///  | id | command | message size | flags | errno |  payload ...
/// flags:  3:0 type (0 command, 1 reply)   4 no reply wanted   5 error, the errno counts
/// ```
///
/// The size counts the header. All other classes of this package read and write a segment that
/// begins with a header, at offsets from its start.
public final class Header {
  /// Bytes of the header.
  public static final int BYTES = 16;

  private static final long ID = 0;
  private static final long COMMAND = 2;
  private static final long SIZE = 4;
  private static final long FLAGS = 8;
  private static final long ERRNO = 12;

  private static final int TYPE = 0xf;
  private static final int TYPE_COMMAND = 0;
  private static final int TYPE_REPLY = 1;
  private static final int NO_REPLY = 1 << 4;
  private static final int ERROR = 1 << 5;

  private Header() {}

  /// The number by which the sender will know the reply.
  public static int id(MemorySegment message) {
    return Short.toUnsignedInt(message.get(U16, ID));
  }

  /// The command's number.
  public static int command(MemorySegment message) {
    return Short.toUnsignedInt(message.get(U16, COMMAND));
  }

  /// Bytes of the message with its header, as its sender says.
  public static long size(MemorySegment message) {
    return Integer.toUnsignedLong(message.get(U32, SIZE));
  }

  /// Whether this asks for something.
  public static boolean isCommand(MemorySegment message) {
    return (message.get(U32, FLAGS) & TYPE) == TYPE_COMMAND;
  }

  /// Whether this answers something.
  public static boolean isReply(MemorySegment message) {
    return (message.get(U32, FLAGS) & TYPE) == TYPE_REPLY;
  }

  /// Whether the sender of a command wants no reply, not even an error.
  public static boolean wantsNoReply(MemorySegment message) {
    return (message.get(U32, FLAGS) & NO_REPLY) != 0;
  }

  /// Whether a reply reports an error.
  public static boolean isError(MemorySegment message) {
    return (message.get(U32, FLAGS) & ERROR) != 0;
  }

  /// The error that a reply reports.
  public static Errno errno(MemorySegment message) {
    return Errno.of(message.get(U32, ERRNO));
  }

  /// Writes the header of a command.
  public static void putCommand(MemorySegment message, int id, Command command, long size) {
    put(message, id, command.code(), size, TYPE_COMMAND, 0);
  }

  /// Writes the header of a reply.
  public static void putReply(MemorySegment message, int id, int command, long size) {
    put(message, id, command, size, TYPE_REPLY, 0);
  }

  /// Writes a reply that reports an error; it has no payload.
  public static void putError(MemorySegment message, int id, int command, Errno errno) {
    put(message, id, command, BYTES, TYPE_REPLY | ERROR, errno.number());
  }

  private static void put(
      MemorySegment message, int id, int command, long size, int flags, int errno) {
    message.set(U16, ID, (short) id);
    message.set(U16, COMMAND, (short) command);
    message.set(U32, SIZE, (int) size);
    message.set(U32, FLAGS, flags);
    message.set(U32, ERRNO, errno);
  }
}
