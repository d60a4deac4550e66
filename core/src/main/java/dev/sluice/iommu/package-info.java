/// What an IOMMU model implements and what it finds ready: the translation interface, the IOTLB,
/// invalidation and draining.
///
/// A model's way in is [dev.sluice.iommu.Iommu]. The heart is [dev.sluice.iommu.Invalidator]: it
/// answers when an invalidation is complete. Memory order stands in the names of the accesses or
/// beside them; each fence says what it pairs with.
@NullMarked
package dev.sluice.iommu;

import org.jspecify.annotations.NullMarked;
