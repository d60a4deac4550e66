package dev.sluice.pci.nvme;

/// One descriptor of a scatter gather list (NVMe 1.4, 4.4).
///
/// ```
///  127   124 123    120 119        96 95             64 63                 0
/// +---------+----------+-------------+-----------------+--------------------+
/// |  type   | sub type |  reserved   |  length, bytes  |      address       |
/// +---------+----------+-------------+-----------------+--------------------+
/// ```
///
/// @param address of data, or of a segment of further descriptors
/// @param upper the upper 64 bits
record SglDescriptor(long address, long upper) {
  /// Bytes.
  static final int SIZE = 16;

  /// What a descriptor describes.
  enum Type {
    DATA_BLOCK,
    SEGMENT,
    LAST_SEGMENT,
    /// Any type or sub type that the controller does not support: bit buckets, keyed data, offsets.
    UNSUPPORTED
  }

  Type type() {
    return switch ((int) (upper >>> 56)) {
      case 0x00 -> Type.DATA_BLOCK;
      case 0x20 -> Type.SEGMENT;
      case 0x30 -> Type.LAST_SEGMENT;
      default -> Type.UNSUPPORTED;
    };
  }

  long length() {
    return upper & 0xffff_ffffL;
  }
}
