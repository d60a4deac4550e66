package dev.sluice.pci.nvme;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;

/// What Identify tells of a namespace (NVMe 1.4, 5.15.2): its data structure, its descriptors and
/// the list it is in, 4096 bytes each.
final class IdentifyNamespace {
  private static final int SIZE = 4096;
  private static final int DESCRIPTOR_UUID = 3;
  private static final int UUID_BYTES = 16;
  private static final int WRITE_PROTECTED = 1;

  private IdentifyNamespace() {}

  /// CNS 00h (figure 245): one format of 512 bytes without metadata; what a deallocated block reads
  /// as is not reported, since it keeps its value where the backend does not deallocate.
  static byte[] structure(Namespace namespace) {
    byte[] bytes = new byte[SIZE];
    ByteBuffer at = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    at.putLong(0, namespace.blocks());
    at.putLong(8, namespace.blocks());
    at.putLong(16, namespace.blocks());
    at.put(99, (byte) (namespace.backend().writable() ? 0 : WRITE_PROTECTED));
    at.putInt(128, Namespace.BLOCK_SHIFT << 16);
    return bytes;
  }

  /// CNS 03h (figure 248): the UUID.
  static byte[] descriptors(Namespace namespace) {
    byte[] bytes = new byte[SIZE];
    UUID uuid = namespace.uuid();
    ByteBuffer.wrap(bytes)
        .put((byte) DESCRIPTOR_UUID)
        .put((byte) UUID_BYTES)
        .putShort((short) 0)
        .putLong(uuid.getMostSignificantBits())
        .putLong(uuid.getLeastSignificantBits());
    return bytes;
  }

  /// CNS 02h: the active namespaces whose identifiers are larger than `after`, in ascending order.
  static byte[] activeList(int after) {
    byte[] bytes = new byte[SIZE];
    if (Integer.compareUnsigned(Namespace.ID, after) > 0) {
      ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(0, Namespace.ID);
    }
    return bytes;
  }
}
