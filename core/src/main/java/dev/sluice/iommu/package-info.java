/// What the author of an IOMMU model implements and is given: translation, faults, invalidation,
/// the IOTLB and draining.
///
/// The contract in one sentence: once an invalidation completes, nothing that was obtained before
/// it over its range can touch memory any more, and nobody blocked for that.
@NullMarked
package dev.sluice.iommu;

import org.jspecify.annotations.NullMarked;
