package dev.sluice.vfiouser.wire;

import static dev.sluice.vfiouser.wire.Fields.U32;
import static dev.sluice.vfiouser.wire.Fields.U64;

import java.lang.foreign.MemorySegment;

/// DMA_UNMAP (vfio-user, "VFIO_USER_DMA_UNMAP"). The reply's payload is the request's.
///
/// ```
///  16      20      24     32     40
///  | argsz | flags | iova | size |
/// flags:  0 return the dirty bitmap (of an older protocol, not offered)   1 everything
/// ```
public final class DmaUnmap {
  /// In [#flags]: every range, and address and size are 0.
  public static final int ALL = 2;

  /// Bytes of the payload.
  public static final int BYTES = 24;

  private static final long ARGSZ = Header.BYTES;
  private static final long FLAGS = Header.BYTES + 4;
  private static final long IOVA = Header.BYTES + 8;
  private static final long SIZE = Header.BYTES + 16;

  private DmaUnmap() {}

  /// Checks the lengths; before anything else.
  public static void check(MemorySegment message) throws MalformedMessageException {
    Payload.require(message, Command.DMA_UNMAP, BYTES);
    Payload.requireArgsz(Integer.toUnsignedLong(message.get(U32, ARGSZ)), Command.DMA_UNMAP, BYTES);
  }

  /// What to remove.
  public static int flags(MemorySegment message) {
    return message.get(U32, FLAGS);
  }

  /// The guest-physical address of the first byte, unsigned.
  public static long iova(MemorySegment message) {
    return message.get(U64, IOVA);
  }

  /// Bytes, unsigned.
  public static long size(MemorySegment message) {
    return message.get(U64, SIZE);
  }

  /// Writes the payload of the reply: that of the request.
  ///
  /// @return the message's size
  public static long putReply(MemorySegment reply, MemorySegment request) {
    MemorySegment.copy(request, Header.BYTES, reply, Header.BYTES, BYTES);
    return Header.BYTES + BYTES;
  }
}
