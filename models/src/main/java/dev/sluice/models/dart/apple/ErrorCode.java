package dev.sluice.models.dart.apple;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.Translation;

/// Why an access was refused: a bit of the error register's code, at another place by type
/// (`DART_T8020_ERROR_*`, `DART_T8110_ERROR_*`). Exactly one is set, as Linux expects.
enum ErrorCode {
  /// There is no valid top table for the address, or the stream has no business with any.
  NO_TTBR(0, 0, AbortReason.NOT_MAPPED),
  /// The entry of the top table of four levels is not valid.
  NO_PGD(1, 1, AbortReason.NOT_MAPPED),
  /// The entry that should lead to the last table is not valid.
  NO_PMD(1, 2, AbortReason.NOT_MAPPED),
  /// The last entry is not valid.
  NO_PTE(2, 3, AbortReason.NOT_MAPPED),
  /// The page allows no writes.
  WRITE_FAULT(3, 4, AbortReason.NO_WRITE),
  /// The page allows no reads.
  READ_FAULT(4, 5, AbortReason.NO_READ),
  /// There is no memory where an entry should be (m1n1's `PTE_READ_FAULT`, `AXI_DECODE`).
  TABLE_UNREADABLE(6, 6, AbortReason.BAD_TABLE),
  /// A read of a part of the page that may not be touched (m1n1's `SUBPAGE_PROT`; a t8110 has no
  /// code of its own for it).
  SUBPAGE_READ(7, 5, AbortReason.NO_READ),
  /// A write likewise.
  SUBPAGE_WRITE(7, 4, AbortReason.NO_WRITE);

  private final int t8020Bit;
  private final int t8110Bit;
  private final AbortReason reason;

  ErrorCode(int t8020Bit, int t8110Bit, AbortReason reason) {
    this.t8020Bit = t8020Bit;
    this.t8110Bit = t8110Bit;
    this.reason = reason;
  }

  /// The outcome of a request that meets it. The fault's code is that of the error register.
  Translation.Fault fault(DartType type) {
    return fault(type, reason);
  }

  /// The same with a closer reason for the device.
  Translation.Fault fault(DartType type, AbortReason closer) {
    int bit = type == DartType.T8110 ? t8110Bit : t8020Bit;
    return new Translation.Fault(closer, 1 << bit, true);
  }
}
