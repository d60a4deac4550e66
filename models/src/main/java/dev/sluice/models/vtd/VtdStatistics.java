package dev.sluice.models.vtd;

import dev.sluice.iommu.Invalidator;

/// What a unit has done since it was made; a reset does not clear it. Taken counter by counter
/// while the unit works.
///
/// @param walks second-stage page walks, the misses of the IOTLB
/// @param invalidations what the guest had invalidated
/// @param faults refused accesses
/// @param drains how the invalidations were drained
public record VtdStatistics(
    long walks, Invalidations invalidations, Faults faults, Invalidator.Statistics drains) {

  /// Invalidation requests by kind, through the queue and through the registers.
  ///
  /// @param contextGlobal context-cache, all of it
  /// @param contextDomain context-cache, one domain
  /// @param contextDevice context-cache, one to eight functions
  /// @param iotlbGlobal IOTLB, all of it
  /// @param iotlbDomain IOTLB, one domain
  /// @param iotlbPage IOTLB, a run of pages of one domain
  /// @param waits wait descriptors that completed
  /// @param queueErrors times at which the queue stopped at an error
  public record Invalidations(
      long contextGlobal,
      long contextDomain,
      long contextDevice,
      long iotlbGlobal,
      long iotlbDomain,
      long iotlbPage,
      long waits,
      long queueErrors) {}

  /// Refused accesses by what became of the fault.
  ///
  /// @param recorded in a fault recording register
  /// @param merged into a pending record that says the same
  /// @param lost to overflow, which the guest was told of
  /// @param suppressed as the context entry's FPD wants it
  public record Faults(long recorded, long merged, long lost, long suppressed) {}
}
