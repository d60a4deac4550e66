package dev.sluice.bench.jmh;

/// How the addresses of a row lead to memory.
public enum PageKind {
  /// Pages of 4 KiB below 2^48, by the 4-level tables of VT-d.
  SMALL,
  /// Pages of 2 MiB below 2^48, by the same tables.
  LARGE,
  /// Pages of 4 KiB above 2^48. VT-d's tables of 4 levels end there, so [LinearIommu] translates.
  WIDE,
  /// Pages of 4 KiB below 2^48, for requests that carry a PASID; behind [LinearIommu], too.
  PASID,
  /// No IOMMU: addresses are guest-physical.
  DIRECT
}
