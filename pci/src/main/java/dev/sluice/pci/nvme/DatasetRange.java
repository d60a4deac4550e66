package dev.sluice.pci.nvme;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// One range of a Dataset Management command (NVMe 1.4, 6.7).
///
/// ```
///  127                     64 63                32 31                 0
/// +--------------------------+--------------------+--------------------+
/// |      first block         |  number of blocks  | context attributes |
/// +--------------------------+--------------------+--------------------+
/// ```
///
/// @param firstBlock unsigned
/// @param blocks 0 for none
record DatasetRange(long firstBlock, long blocks) {
  /// Bytes.
  static final int SIZE = 16;

  /// The attribute AD in command dword 11: the ranges may be deallocated.
  static final int DEALLOCATE = 1 << 2;

  private static final ValueLayout.OfInt DWORD =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong QWORD =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /// Range `index` of `list`.
  static DatasetRange at(MemorySegment list, int index) {
    long at = (long) index * SIZE;
    return new DatasetRange(
        list.get(QWORD, at + 8), Integer.toUnsignedLong(list.get(DWORD, at + 4)));
  }

  boolean within(Namespace namespace) {
    return namespace.contains(firstBlock, blocks);
  }
}
