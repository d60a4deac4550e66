package dev.sluice.vm.guest.vtd;

/// When the DMA layer invalidates what it has unmapped (Linux: `iommu.strict=`).
public enum Flushing {
  /// At each unmap, page-selectively, before the address or the pages can be used again.
  STRICT,
  /// For many unmaps together, the whole domain; until then the addresses stay out of use, but the
  /// device may still reach the pages.
  LAZY
}
