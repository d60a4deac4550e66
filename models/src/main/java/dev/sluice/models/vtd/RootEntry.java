package dev.sluice.models.vtd;

/// A root entry, VT-d specification 9.1: one for each of 256 buses.
///
/// ```
///  127                                           64
/// +------------------------------------------------+
/// |                       0                        |
/// +------------------------------------------------+
///  63     HAW HAW-1           12 11           1  0
/// +----------+------------------+-------------+---+
/// |    0     | CTP >> 12        |      0      | P |
/// +----------+------------------+-------------+---+
/// ```
///
/// CTP: the context table of the bus, 4 KiB. P: present; if it is clear, the other bits are not
/// looked at.
///
/// @param low bits 63:0
/// @param high bits 127:64
record RootEntry(long low, long high) {
  /// Bytes of an entry.
  static final int BYTES = 16;

  boolean isPresent() {
    return (low & 1) != 0;
  }

  /// Whether a reserved bit is set.
  ///
  /// @param addressMask the bits that an address may set
  boolean isMalformed(long addressMask) {
    return (low & ~(addressMask | 1)) != 0 || high != 0;
  }

  /// The context table's guest-physical address.
  long contextTable() {
    return low & ~0xFFFL;
  }

  /// Where the entry of a bus stands.
  static long address(long rootTable, int bus) {
    return rootTable + (long) bus * BYTES;
  }
}
