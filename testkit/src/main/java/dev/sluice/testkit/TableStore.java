package dev.sluice.testkit;

/// Guest memory as code builds tables in it that belongs to the guest: runs of zeros for tables,
/// and their entries.
public interface TableStore {
  /// A run of zeros that nobody has had yet.
  ///
  /// @param bytes a power of two, to which it is aligned
  /// @return its guest-physical address
  /// @throws IllegalStateException when there is no room left
  long table(int bytes);

  /// Stores 8 bytes, little-endian.
  void store(long address, long value);

  /// Loads 8 bytes, little-endian.
  long load(long address);
}
