package dev.sluice.models.spapr;

import dev.sluice.iommu.Invalidator;

/// What the model has done since it was made; a reset does not clear it. Taken counter by counter
/// while the model works.
///
/// @param walks table look-ups, the misses of the IOTLB
/// @param calls what the guest called
/// @param faults refused accesses
/// @param tablePages pages of 4 KiB that the tables take now
/// @param drains how the invalidations were drained
public record SpaprStatistics(
    long walks, Calls calls, long faults, int tablePages, Invalidator.Statistics drains) {

  /// Calls by kind and by what became of them.
  ///
  /// @param gets H_GET_TCE
  /// @param puts H_PUT_TCE
  /// @param stuffs H_STUFF_TCE
  /// @param indirects H_PUT_TCE_INDIRECT
  /// @param rtas H_RTAS
  /// @param refused those of them that returned an error at once
  /// @param drained changes that could not stay on the fast path: what they replaced had been used,
  ///   or another change of the same space was being drained
  /// @param halted those of them that halted the processor
  public record Calls(
      long gets,
      long puts,
      long stuffs,
      long indirects,
      long rtas,
      long refused,
      long drained,
      long halted) {}
}
