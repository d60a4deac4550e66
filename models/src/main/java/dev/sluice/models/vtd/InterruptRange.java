package dev.sluice.models.vtd;

/// The interrupt address range 0xFEE0_0000 to 0xFEEF_FFFF, VT-d specification 3.14: a request to it
/// is no access to memory, and no translation may lead into it.
final class InterruptRange {
  private static final long FIRST = 0xFEE0_0000L;
  private static final long LAST = 0xFEEF_FFFFL;

  private InterruptRange() {}

  static boolean contains(long address) {
    return address >= FIRST && address <= LAST;
  }

  /// Whether any of the 2^shift bytes at `address` lies in the range.
  static boolean touches(long address, int shift) {
    return address <= LAST && address >= 0 && (address | ((1L << shift) - 1)) >= FIRST;
  }
}
