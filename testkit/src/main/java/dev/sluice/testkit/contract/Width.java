package dev.sluice.testkit.contract;

/// How much one invalidation is about.
public enum Width {
  /// One page of one address space, exactly.
  PAGE,
  /// A run of pages of one address space, exactly.
  RANGE,
  /// One address space.
  DOMAIN,
  /// Whatever the IOMMU has.
  EVERYTHING
}
