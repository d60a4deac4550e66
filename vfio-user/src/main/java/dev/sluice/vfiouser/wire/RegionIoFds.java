package dev.sluice.vfiouser.wire;

import static dev.sluice.vfiouser.wire.Fields.U32;

import java.lang.foreign.MemorySegment;

/// DEVICE_GET_REGION_IO_FDS, both ways (vfio-user, "VFIO_USER_DEVICE_GET_REGION_IO_FDS"):
///
/// ```
///  16      20      24      28      32
///  | argsz | flags | index | count |
/// ```
///
/// No region here has such descriptors: the count is 0 and no entry follows.
public final class RegionIoFds {
  private static final long ARGSZ = Header.BYTES;
  private static final long FLAGS = Header.BYTES + 4;
  private static final long INDEX = Header.BYTES + 8;
  private static final long COUNT = Header.BYTES + 12;
  private static final int BYTES = 16;

  private RegionIoFds() {}

  /// Checks lengths and flags of a request.
  public static void check(MemorySegment message) throws MalformedMessageException {
    Payload.require(message, Command.DEVICE_GET_REGION_IO_FDS, BYTES);
    Payload.requireArgsz(
        Integer.toUnsignedLong(message.get(U32, ARGSZ)), Command.DEVICE_GET_REGION_IO_FDS, BYTES);
    if (message.get(U32, FLAGS) != 0 || message.get(U32, COUNT) != 0) {
      throw new MalformedMessageException("DEVICE_GET_REGION_IO_FDS with flags or count");
    }
  }

  /// The region's index, unsigned.
  public static int index(MemorySegment message) {
    return message.get(U32, INDEX);
  }

  /// Writes the payload of a reply without entries.
  ///
  /// @return the message's size
  public static long putReply(MemorySegment reply, int index) {
    reply.set(U32, ARGSZ, BYTES);
    reply.set(U32, FLAGS, 0);
    reply.set(U32, INDEX, index);
    reply.set(U32, COUNT, 0);
    return Header.BYTES + BYTES;
  }
}
