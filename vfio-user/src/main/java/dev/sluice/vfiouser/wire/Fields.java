package dev.sluice.vfiouser.wire;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// How the protocol's integers stand in memory: of the host's byte order, which is little on every
/// host that Sluice runs on, and without alignment.
final class Fields {
  static final ValueLayout.OfShort U16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt U32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong U64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Fields() {}
}
