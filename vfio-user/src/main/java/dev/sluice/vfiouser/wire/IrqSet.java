package dev.sluice.vfiouser.wire;

import static dev.sluice.vfiouser.wire.Fields.U32;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;

/// DEVICE_SET_IRQS (vfio-user, "VFIO_USER_DEVICE_SET_IRQS"). The reply has no payload.
///
/// ```
///  16      20      24      28      32      36
///  | argsz | flags | index | start | count | one byte an interrupt, if data is "bool"
/// flags, one of each group:  data   0 none  1 bool  2 eventfd
///                            action 3 mask  4 unmask  5 trigger
/// ```
public final class IrqSet {
  /// Data: none.
  public static final int NONE = 1;

  /// Data: one byte for each interrupt, not zero to act on it.
  public static final int BOOL = 2;

  /// Data: one event for each interrupt, or none at all to take them away.
  public static final int EVENTFD = 4;

  /// Action: mask.
  public static final int MASK = 8;

  /// Action: unmask.
  public static final int UNMASK = 0x10;

  /// Action: fire, or with events, fire through these from now on.
  public static final int TRIGGER = 0x20;

  private static final long ARGSZ = Header.BYTES;
  private static final long FLAGS = Header.BYTES + 4;
  private static final long INDEX = Header.BYTES + 8;
  private static final long START = Header.BYTES + 12;
  private static final long COUNT = Header.BYTES + 16;
  private static final long DATA = Header.BYTES + 20;
  private static final int BYTES = 20;

  private static final int DATA_BITS = NONE | BOOL | EVENTFD;
  private static final int ACTION_BITS = MASK | UNMASK | TRIGGER;

  private IrqSet() {}

  /// Checks the lengths, and that there is one data type and one action.
  public static void check(MemorySegment message) throws MalformedMessageException {
    Payload.require(message, Command.DEVICE_SET_IRQS, BYTES);
    Payload.requireArgsz(
        Integer.toUnsignedLong(message.get(U32, ARGSZ)), Command.DEVICE_SET_IRQS, BYTES);
    int flags = message.get(U32, FLAGS);
    if (Integer.bitCount(flags & DATA_BITS) != 1
        || Integer.bitCount(flags & ACTION_BITS) != 1
        || (flags & ~(DATA_BITS | ACTION_BITS)) != 0) {
      throw new MalformedMessageException(
          "DEVICE_SET_IRQS with flags 0x"
              + Integer.toHexString(flags)
              + ": one data type and one action are needed");
    }
    if (data(message) == BOOL) {
      Payload.require(message, Command.DEVICE_SET_IRQS, BYTES + count(message));
    }
  }

  /// The data type: [#NONE], [#BOOL] or [#EVENTFD].
  public static int data(MemorySegment message) {
    return message.get(U32, FLAGS) & DATA_BITS;
  }

  /// The action: [#MASK], [#UNMASK] or [#TRIGGER].
  public static int action(MemorySegment message) {
    return message.get(U32, FLAGS) & ACTION_BITS;
  }

  /// The interrupt index, unsigned.
  public static int index(MemorySegment message) {
    return message.get(U32, INDEX);
  }

  /// The first interrupt.
  public static long start(MemorySegment message) {
    return Integer.toUnsignedLong(message.get(U32, START));
  }

  /// How many interrupts.
  public static long count(MemorySegment message) {
    return Integer.toUnsignedLong(message.get(U32, COUNT));
  }

  /// The byte of the `i`th interrupt of the range, with data [#BOOL].
  public static boolean bool(MemorySegment message, int i) {
    return message.get(JAVA_BYTE, DATA + i) != 0;
  }
}
