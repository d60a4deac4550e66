package dev.sluice.vfiouser.server;

/// The numbers of a PCI function's regions, as VFIO gives them.
final class RegionIndex {
  /// The first of the six base address registers.
  static final int BAR0 = 0;

  /// Configuration space.
  static final int CONFIG = 7;

  /// How many there are; 6 is the expansion ROM and 8 VGA memory, which no function here has.
  static final int COUNT = 9;

  private RegionIndex() {}
}
