package dev.sluice.vfiouser.wire;

import static dev.sluice.vfiouser.wire.Fields.U32;
import static dev.sluice.vfiouser.wire.Fields.U64;

import java.lang.foreign.MemorySegment;

/// DMA_MAP, with the descriptor of the memory or without one (vfio-user, "VFIO_USER_DMA_MAP"). The
/// reply has no payload.
///
/// ```
///  16      20      24       32     40     48
///  | argsz | flags | offset | iova | size |
/// flags:  0 readable   1 writable
/// ```
public final class DmaMap {
  /// In [#flags]: the device may read.
  public static final int READABLE = 1;

  /// In [#flags]: the device may write.
  public static final int WRITABLE = 2;

  private static final long ARGSZ = Header.BYTES;
  private static final long FLAGS = Header.BYTES + 4;
  private static final long OFFSET = Header.BYTES + 8;
  private static final long IOVA = Header.BYTES + 16;
  private static final long SIZE = Header.BYTES + 24;
  private static final int BYTES = 32;

  private DmaMap() {}

  /// Checks the lengths; before anything else.
  public static void check(MemorySegment message) throws MalformedMessageException {
    Payload.require(message, Command.DMA_MAP, BYTES);
    Payload.requireArgsz(Integer.toUnsignedLong(message.get(U32, ARGSZ)), Command.DMA_MAP, BYTES);
  }

  /// The rights.
  public static int flags(MemorySegment message) {
    return message.get(U32, FLAGS);
  }

  /// Where the range starts in the descriptor's file, bytes.
  public static long offset(MemorySegment message) {
    return message.get(U64, OFFSET);
  }

  /// The guest-physical address of the first byte, unsigned.
  public static long iova(MemorySegment message) {
    return message.get(U64, IOVA);
  }

  /// Bytes, unsigned.
  public static long size(MemorySegment message) {
    return message.get(U64, SIZE);
  }
}
