package dev.sluice.models.dart.apple;

import dev.sluice.iommu.Invalidator;

/// What a DART has done since it was made; a reset does not clear it. Taken counter by counter
/// while the DART works.
///
/// @param walks of tables, the misses of the IOTLB
/// @param invalidations commands that were carried out; several may have been merged into one
/// @param errorsRecorded refused accesses that stood in the error register
/// @param errorsLost those that met an earlier one there
/// @param drains how the invalidations were drained, stream by stream, with the changes of stream
///   registers
public record AppleDartStatistics(
    long walks,
    long invalidations,
    long errorsRecorded,
    long errorsLost,
    Invalidator.Statistics drains) {}
