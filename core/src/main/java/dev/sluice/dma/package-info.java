/// What a device author uses: a DMA context and the mappings obtained from it.
///
/// Every address a device gives is an IOVA of that device. What moves is exactly what the IOMMU
/// grants to it; a refusal is a target abort, a value that says which address, why, and how many
/// bytes had moved. A mapping ends at its owner's `close`, or earlier when the guest takes the page
/// away and the owner does not let go.
@NullMarked
package dev.sluice.dma;

import org.jspecify.annotations.NullMarked;
