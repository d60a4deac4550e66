/// Guest memory, the DMA contexts through which devices reach it, and what an IOMMU model
/// implements.
///
/// The only module with native access: everything that is not memory-safe by itself stands here.
module dev.sluice.core {
  requires static transitive org.jspecify;

  exports dev.sluice.dma;
  exports dev.sluice.iommu;
  exports dev.sluice.memory;
  exports dev.sluice.host to
      dev.sluice.vfiouser,
      dev.sluice.testkit;
}
