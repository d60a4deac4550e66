package dev.sluice.models.dart.u3;

import dev.sluice.models.registers.Register;

/// The registers of the DART, 32 bits each and big-endian, at their offsets from the base address
/// that the device tree names (`dart.h`).
///
/// What is not here reads as zero: the TLB's tags and data, from 0x1000 and 0x5000 on, with which
/// no driver works.
final class DartRegisters {
  /// Bytes of the register page: the length in the device tree of a G5.
  static final int BYTES = 0x7000;

  /// `DART_CNTL`, bits in [U3Control].
  static final Register U3_CNTL = Register.of("DART_CNTL", 0x00, 4).writable(U3Control.WRITABLE);

  /// `DART_EXCP_U3`, bits in [ExceptionRecord].
  static final Register U3_EXCP = Register.of("DART_EXCP_U3", 0x10, 4);

  /// `DART_CNTL`, bits in [U4Control].
  static final Register U4_CNTL =
      Register.of("DART_CNTL", 0x00, 4).resetTo(U4Control.IDLE).writable(U4Control.WRITABLE);

  /// `DART_BASE_U4`, bits in [U4Control].
  static final Register U4_BASE =
      Register.of("DART_BASE_U4", 0x10, 4).writable(U4Control.BASE_WRITABLE);

  /// `DART_SIZE_U4`, bits in [U4Control].
  static final Register U4_SIZE =
      Register.of("DART_SIZE_U4", 0x20, 4).writable(U4Control.SIZE_WRITABLE);

  /// `DART_EXCP_U4`, bits in [ExceptionRecord].
  static final Register U4_EXCP = Register.of("DART_EXCP_U4", 0x30, 4);

  private DartRegisters() {}
}
