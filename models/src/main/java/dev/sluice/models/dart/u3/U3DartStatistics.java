package dev.sluice.models.dart.u3;

import dev.sluice.iommu.Invalidator;

/// What a DART has done since it was made; a reset does not clear it. Taken counter by counter
/// while the DART works.
///
/// @param walks reads of the table, the misses of the IOTLB
/// @param flushes invalidations of everything that the guest asked for
/// @param pages invalidations of one page, on a U4
/// @param exceptions refused accesses
/// @param drains how the invalidations were drained
public record U3DartStatistics(
    long walks, long flushes, long pages, long exceptions, Invalidator.Statistics drains) {}
