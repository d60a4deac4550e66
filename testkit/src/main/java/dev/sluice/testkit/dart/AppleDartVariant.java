package dev.sluice.testkit.dart;

/// What Linux's `apple_dart_hw` says of each variant, by the compatible string.
public enum AppleDartVariant {
  /// `apple,t8103-dart`.
  T8103(36, true, 0x60, 1L << 15, 0x40, 0xFC, 0x100, 1L << 7, 0x1100, 0x200, 1L << 31, 0, 12, 4),
  /// `apple,t6000-dart`.
  T6000(42, false, 0x60, 1L << 15, 0x40, 0xFC, 0x100, 1L << 7, 0x1100, 0x200, 1L << 31, 0, 12, 4),
  /// `apple,t8110-dart`.
  T8110(0, false, 0x200, 1, 0x100, 0xC00, 0x1000, 1, 0x6, 0x1400, 1, 2, 14, 1);

  /// 0: PARAMS3 says it.
  final int outputWidth;

  /// Whether entries have the first format.
  final boolean firstFormat;

  final int lock;
  final long lockBit;
  final int error;
  final int enableStreams;
  final int tcr;
  final long tcrEnabled;
  final long tcrBypass;
  final int ttbr;
  final long ttbrValid;
  final int ttbrFieldShift;
  final int ttbrShift;
  final int ttbrCount;

  AppleDartVariant(
      int outputWidth,
      boolean firstFormat,
      int lock,
      long lockBit,
      int error,
      int enableStreams,
      int tcr,
      long tcrEnabled,
      long tcrBypass,
      int ttbr,
      long ttbrValid,
      int ttbrFieldShift,
      int ttbrShift,
      int ttbrCount) {
    this.outputWidth = outputWidth;
    this.firstFormat = firstFormat;
    this.lock = lock;
    this.lockBit = lockBit;
    this.error = error;
    this.enableStreams = enableStreams;
    this.tcr = tcr;
    this.tcrEnabled = tcrEnabled;
    this.tcrBypass = tcrBypass;
    this.ttbr = ttbr;
    this.ttbrValid = ttbrValid;
    this.ttbrFieldShift = ttbrFieldShift;
    this.ttbrShift = ttbrShift;
    this.ttbrCount = ttbrCount;
  }

  int tcr(int stream) {
    return tcr + 4 * stream;
  }

  int ttbr(int stream, int index) {
    return ttbr + 4 * (ttbrCount * stream + index);
  }

  /// What a table base register is set to.
  long ttbrOf(long address) {
    return ttbrValid | address >> ttbrShift << ttbrFieldShift;
  }
}
