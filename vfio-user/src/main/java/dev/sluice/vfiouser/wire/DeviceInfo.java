package dev.sluice.vfiouser.wire;

import static dev.sluice.vfiouser.wire.Fields.U32;

import java.lang.foreign.MemorySegment;

/// DEVICE_GET_INFO, both ways (vfio-user, "VFIO_USER_DEVICE_GET_INFO"):
///
/// ```
///  16      20      24        28     32
///  | argsz | flags | regions | irqs |
/// flags:  0 reset is supported   1 PCI
/// ```
public final class DeviceInfo {
  private static final long ARGSZ = Header.BYTES;
  private static final long FLAGS = Header.BYTES + 4;
  private static final long REGIONS = Header.BYTES + 8;
  private static final long IRQS = Header.BYTES + 12;
  private static final int BYTES = 16;

  private static final int FLAG_RESET = 1;
  private static final int FLAG_PCI = 2;

  private DeviceInfo() {}

  /// Checks the lengths of a request. Cloud Hypervisor's says more in argsz than it has.
  public static void check(MemorySegment message) throws MalformedMessageException {
    Payload.require(message, Command.DEVICE_GET_INFO, BYTES);
    Payload.requireArgsz(
        Integer.toUnsignedLong(message.get(U32, ARGSZ)), Command.DEVICE_GET_INFO, BYTES);
  }

  /// Writes the payload of the reply of a PCI function that can be reset.
  ///
  /// @return the message's size
  public static long putReply(MemorySegment reply, int regions, int irqs) {
    reply.set(U32, ARGSZ, BYTES);
    reply.set(U32, FLAGS, FLAG_RESET | FLAG_PCI);
    reply.set(U32, REGIONS, regions);
    reply.set(U32, IRQS, irqs);
    return Header.BYTES + BYTES;
  }
}
