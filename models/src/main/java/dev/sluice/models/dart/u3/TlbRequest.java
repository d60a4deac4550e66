package dev.sluice.models.dart.u3;

import dev.sluice.iommu.Invalidation;

/// What the guest has the TLB forget.
///
/// @param bits the bits of the control register that stand for it until it is complete
/// @param what for core
record TlbRequest(long bits, Invalidation what) {

  /// Every page.
  static TlbRequest flush(long bit) {
    return new TlbRequest(bit, Invalidation.ofTranslations());
  }

  /// One page of the table's.
  static TlbRequest page(long bit, long logicalPage) {
    long first = logicalPage << DartEntry.PAGE_SHIFT;
    return new TlbRequest(
        bit,
        Invalidation.ofRange(
            DmaTranslation.TABLE_TAG, first, first + (1L << DartEntry.PAGE_SHIFT) - 1));
  }

  /// Whether it is one page.
  boolean isPage() {
    return what.last() != -1;
  }

  /// What does both.
  TlbRequest and(TlbRequest other) {
    return new TlbRequest(bits | other.bits, Invalidation.ofTranslations());
  }
}
