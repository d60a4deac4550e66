package dev.sluice.vm.guest.machine;

import dev.sluice.iommu.RequesterId;

/// Everything that a processor reaches besides its RAM: memory-mapped registers by physical
/// address, and the configuration space of PCI functions.
///
/// Accesses have 1, 2, 4 or 8 bytes, little-endian; values are zero-extended. As on PCI Express, a
/// read that no device answers returns all ones and a write that no device takes is lost.
public interface Bus {
  /// Reads memory-mapped registers.
  long read(long address, int size);

  /// Writes memory-mapped registers.
  void write(long address, int size, long value);

  /// Reads configuration space; at most 4 bytes.
  ///
  /// @param offset 0 to 4095
  long readConfig(RequesterId function, int offset, int size);

  /// Writes configuration space; at most 4 bytes.
  ///
  /// @param offset 0 to 4095
  void writeConfig(RequesterId function, int offset, int size, long value);
}
