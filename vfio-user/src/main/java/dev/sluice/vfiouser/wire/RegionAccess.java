package dev.sluice.vfiouser.wire;

import static dev.sluice.vfiouser.wire.Fields.U32;
import static dev.sluice.vfiouser.wire.Fields.U64;

import java.lang.foreign.MemorySegment;

/// REGION_READ and REGION_WRITE, both ways (vfio-user, "VFIO_USER_REGION_READ"):
///
/// ```
///  16       24       28      32
///  | offset | region | count | data, in a write and in the reply to a read
/// ```
public final class RegionAccess {
  /// Where the data starts in the message.
  public static final long DATA = Header.BYTES + 16;

  private static final long OFFSET = Header.BYTES;
  private static final long REGION = Header.BYTES + 8;
  private static final long COUNT = Header.BYTES + 12;
  private static final int BYTES = 16;

  private RegionAccess() {}

  /// Checks that a read has its payload.
  public static void checkRead(MemorySegment message) throws MalformedMessageException {
    Payload.require(message, Command.REGION_READ, BYTES);
  }

  /// Checks that a write has its payload and the data.
  public static void checkWrite(MemorySegment message) throws MalformedMessageException {
    Payload.require(message, Command.REGION_WRITE, BYTES);
    Payload.require(message, Command.REGION_WRITE, BYTES + count(message));
  }

  /// Bytes from the start of the region, unsigned.
  public static long offset(MemorySegment message) {
    return message.get(U64, OFFSET);
  }

  /// The region's index, unsigned.
  public static int region(MemorySegment message) {
    return message.get(U32, REGION);
  }

  /// Bytes to move.
  public static long count(MemorySegment message) {
    return Integer.toUnsignedLong(message.get(U32, COUNT));
  }

  /// Writes the fields of the reply: those of the request.
  ///
  /// @param dataBytes how many bytes of data the reply has behind them
  /// @return the message's size
  public static long putReply(MemorySegment reply, MemorySegment request, long dataBytes) {
    MemorySegment.copy(request, Header.BYTES, reply, Header.BYTES, BYTES);
    return DATA + dataBytes;
  }
}
