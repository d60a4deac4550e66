package dev.sluice.pci;

/// The live registers of one capability in a built configuration space.
public final class CapabilityRegisters {
  private final ConfigSpace space;
  private final int base;
  private final int length;

  CapabilityRegisters(ConfigSpace space, int base, int length) {
    this.space = space;
    this.base = base;
    this.length = length;
  }

  /// Where the capability starts, in bytes from the start of the configuration space.
  public int base() {
    return base;
  }

  /// The register of `size` bytes at `offset` from the start of the capability, zero-extended.
  ///
  /// @param size 1, 2 or 4 bytes
  public int read(int offset, int size) {
    if (offset < 0 || offset > length - size) {
      throw new IllegalArgumentException(
          size + " bytes at " + offset + " are outside a capability of " + length);
    }
    return (int) space.read(base + offset, size);
  }
}
