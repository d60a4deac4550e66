package dev.sluice.models.vtd;

/// A context entry, VT-d specification 9.3: one for each of the 256 functions of a bus.
///
/// ```
///  127            88 87      72 71 70     67 66  64
/// +-----------------+----------+--+---------+------+
/// |        0        |   DID    | 0| ignored |  AW  |
/// +-----------------+----------+--+---------+------+
///  63     HAW HAW-1          12 11      4 3  2  1  0
/// +----------+-----------------+---------+----+---+-+
/// |    0     | SLPTPTR >> 12   |    0    | TT |FPD|P|
/// +----------+-----------------+---------+----+---+-+
/// ```
///
/// - P: present. If it is clear, only FPD counts.
/// - FPD: faults of requests that this entry decides are not recorded.
/// - TT: 00 untranslated requests go through the second-stage table; 01 needs device TLBs, which
///   this unit has not; 10 pass-through; 11 reserved.
/// - SLPTPTR: the second-stage table. Ignored with pass-through.
/// - AW: 001 for 39 bits and 3 levels, 010 for 48 bits and 4 levels; others are not supported.
/// - DID: the domain id, with which cached translations are tagged.
///
/// @param low bits 63:0
/// @param high bits 127:64
record ContextEntry(long low, long high) {
  /// Bytes of an entry.
  static final int BYTES = 16;

  private static final long FLAGS = 0xF;
  private static final long HIGH_RESERVED = ~0x0000_0000_00FF_FF7FL;

  /// How requests are treated, by TT.
  enum TranslationType {
    SECOND_STAGE,
    PASS_THROUGH,
    UNSUPPORTED
  }

  boolean isPresent() {
    return (low & 1) != 0;
  }

  boolean faultProcessingDisabled() {
    return (low & 2) != 0;
  }

  TranslationType translationType() {
    return switch ((int) (low >>> 2) & 3) {
      case 0b00 -> TranslationType.SECOND_STAGE;
      case 0b10 -> TranslationType.PASS_THROUGH;
      default -> TranslationType.UNSUPPORTED;
    };
  }

  /// Levels of the second-stage table: 3, 4, or 0 when AW is not supported.
  int levels() {
    return switch ((int) high & 7) {
      case 0b001 -> 3;
      case 0b010 -> 4;
      default -> 0;
    };
  }

  /// Bits of an I/O virtual address that the table's levels decode: 39 or 48.
  int addressWidth() {
    return 12 + 9 * levels();
  }

  int domainId() {
    return (int) (high >>> 8) & 0xFFFF;
  }

  /// The top second-stage table's guest-physical address.
  long table() {
    return low & ~0xFFFL;
  }

  /// Whether a reserved bit is set.
  ///
  /// @param addressMask the bits that an address may set
  boolean isMalformed(long addressMask) {
    return (low & ~(addressMask | FLAGS)) != 0 || (high & HIGH_RESERVED) != 0;
  }

  /// Whether its programming is one that this unit supports: TT and AW.
  boolean isSupported() {
    return translationType() != TranslationType.UNSUPPORTED && levels() != 0;
  }

  /// Where the entry of a function stands.
  ///
  /// @param function device and function number, 0 to 255
  static long address(long contextTable, int function) {
    return contextTable + (long) function * BYTES;
  }
}
