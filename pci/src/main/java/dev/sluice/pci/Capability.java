package dev.sluice.pci;

/// One entry of a function's capability list (PCIe 7.5.1.1.11): two bytes that the configuration
/// space fills in, the identifier and the offset of the next one, and the capability's own
/// registers after them.
///
/// An object belongs to one configuration space: it learns its place when that is built.
public interface Capability {
  /// The capability identifier, 1 to 255.
  int id();

  /// Bytes, with the two of the identifier and the next pointer.
  int length();

  /// Declares the registers from offset 2 on. Called once, while the space is built.
  ///
  /// @param image this capability's bytes; offset 0 is its identifier
  /// @param at where this capability stands, to read its registers back with
  void layOut(ConfigImage image, CapabilityRegisters at);
}
