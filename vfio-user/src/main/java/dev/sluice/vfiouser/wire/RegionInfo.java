package dev.sluice.vfiouser.wire;

import static dev.sluice.vfiouser.wire.Fields.U32;
import static dev.sluice.vfiouser.wire.Fields.U64;

import java.lang.foreign.MemorySegment;

/// DEVICE_GET_REGION_INFO, both ways (vfio-user, "VFIO_USER_DEVICE_GET_REGION_INFO"):
///
/// ```
///  16      20      24      28           32     40       48
///  | argsz | flags | index | cap offset | size | offset |
/// flags:  0 readable   1 writable   2 can be mapped   3 has capabilities
/// ```
///
/// No region here can be mapped, so there are no capabilities and no descriptor.
public final class RegionInfo {
  private static final long ARGSZ = Header.BYTES;
  private static final long FLAGS = Header.BYTES + 4;
  private static final long INDEX = Header.BYTES + 8;
  private static final long CAP_OFFSET = Header.BYTES + 12;
  private static final long SIZE = Header.BYTES + 16;
  private static final long OFFSET = Header.BYTES + 24;
  private static final int BYTES = 32;

  private static final int READ_WRITE = 0b11;

  private RegionInfo() {}

  /// Checks the lengths of a request.
  public static void check(MemorySegment message) throws MalformedMessageException {
    Payload.require(message, Command.DEVICE_GET_REGION_INFO, BYTES);
    Payload.requireArgsz(
        Integer.toUnsignedLong(message.get(U32, ARGSZ)), Command.DEVICE_GET_REGION_INFO, BYTES);
  }

  /// The region's index, unsigned.
  public static int index(MemorySegment message) {
    return message.get(U32, INDEX);
  }

  /// Writes the payload of the reply.
  ///
  /// @param size bytes; 0 for a region that the device does not have
  /// @return the message's size
  public static long putReply(MemorySegment reply, int index, long size) {
    reply.set(U32, ARGSZ, BYTES);
    reply.set(U32, FLAGS, size == 0 ? 0 : READ_WRITE);
    reply.set(U32, INDEX, index);
    reply.set(U32, CAP_OFFSET, 0);
    reply.set(U64, SIZE, size);
    reply.set(U64, OFFSET, 0);
    return Header.BYTES + BYTES;
  }
}
