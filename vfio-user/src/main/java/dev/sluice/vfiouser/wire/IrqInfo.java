package dev.sluice.vfiouser.wire;

import static dev.sluice.vfiouser.wire.Fields.U32;

import java.lang.foreign.MemorySegment;

/// DEVICE_GET_IRQ_INFO, both ways (vfio-user, "VFIO_USER_DEVICE_GET_IRQ_INFO"):
///
/// ```
///  16      20      24      28      32
///  | argsz | flags | index | count |
/// flags:  0 by eventfd   1 can be masked   2 masks itself when it fires   3 the set cannot grow
/// ```
public final class IrqInfo {
  /// In the flags: fires through an eventfd.
  public static final int EVENTFD = 1;

  /// In the flags: can be masked and unmasked.
  public static final int MASKABLE = 2;

  /// In the flags: masks itself when it fires.
  public static final int AUTOMASKED = 4;

  private static final long ARGSZ = Header.BYTES;
  private static final long FLAGS = Header.BYTES + 4;
  private static final long INDEX = Header.BYTES + 8;
  private static final long COUNT = Header.BYTES + 12;
  private static final int BYTES = 16;

  private IrqInfo() {}

  /// Checks the lengths of a request.
  public static void check(MemorySegment message) throws MalformedMessageException {
    Payload.require(message, Command.DEVICE_GET_IRQ_INFO, BYTES);
    Payload.requireArgsz(
        Integer.toUnsignedLong(message.get(U32, ARGSZ)), Command.DEVICE_GET_IRQ_INFO, BYTES);
  }

  /// The interrupt index, unsigned.
  public static int index(MemorySegment message) {
    return message.get(U32, INDEX);
  }

  /// Writes the payload of the reply.
  ///
  /// @param count interrupts of that index
  /// @return the message's size
  public static long putReply(MemorySegment reply, int index, int flags, int count) {
    reply.set(U32, ARGSZ, BYTES);
    reply.set(U32, FLAGS, flags);
    reply.set(U32, INDEX, index);
    reply.set(U32, COUNT, count);
    return Header.BYTES + BYTES;
  }
}
