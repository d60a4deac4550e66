package dev.sluice.models.dart.u3;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.Translation;

/// Why an access was refused, by the numbers of a U4's exception register (Darwin's `AppleU3`).
///
/// Codes 2 and 3, read and write protection, are missing: no entry that a driver writes protects
/// anything. So is 5, a parity error of the TLB.
enum ExceptionCode {
  /// The address is beyond the table.
  OUT_OF_BOUNDS(0, AbortReason.ADDRESS_WIDTH),
  /// The entry is not valid.
  ENTRY(1, AbortReason.NOT_MAPPED),
  /// There is no memory where the entry should be.
  ADDRESSING(4, AbortReason.BAD_TABLE);

  private final int code;
  private final AbortReason reason;

  ExceptionCode(int code, AbortReason reason) {
    this.code = code;
    this.reason = reason;
  }

  /// The outcome of a request that meets it.
  Translation.Fault fault() {
    return new Translation.Fault(reason, code, true);
  }
}
