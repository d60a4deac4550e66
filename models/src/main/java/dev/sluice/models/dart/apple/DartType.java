package dev.sluice.models.dart.apple;

/// The classes of DART that Linux tells apart, by the name that m1n1 has for them.
public enum DartType {
  /// Up to the M1 (`apple,t8103-dart`): 16 streams with four tables each, entries of the first
  /// format, 36-bit physical addresses.
  T8020(36, 4),
  /// M1 Pro, Max and Ultra (`apple,t6000-dart`): registers as the t8020, entries of the second
  /// format, 42-bit physical addresses.
  T6000(42, 4),
  /// M2 and later (`apple,t8110-dart`): other registers, up to 256 streams with one table each,
  /// entries of the second format.
  T8110(42, 1);

  private final int outputWidth;
  private final int tables;

  DartType(int outputWidth, int tables) {
    this.outputWidth = outputWidth;
    this.tables = tables;
  }

  /// Bits of a physical address (Linux's `oas`).
  int outputWidth() {
    return outputWidth;
  }

  /// Top tables of each stream (Linux's `ttbr_count`).
  int tables() {
    return tables;
  }
}
