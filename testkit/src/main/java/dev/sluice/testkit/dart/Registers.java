package dev.sluice.testkit.dart;

/// A DART's registers as a driver reaches them: aligned words.
public interface Registers {
  /// Reads a register.
  ///
  /// @param offset bytes from the base address
  long read(int offset);

  /// Writes a register.
  ///
  /// @param value in its low 32 bits
  void write(int offset, long value);
}
