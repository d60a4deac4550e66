/// PCI functions: configuration space, BARs and interrupts, and the devices built on them.
///
/// A function sees memory through a DMA context alone; which IOMMU stands behind it, if any, it
/// cannot tell.
module dev.sluice.pci {
  requires transitive dev.sluice.core;
  requires static transitive org.jspecify;

  exports dev.sluice.pci;
  exports dev.sluice.pci.nvme;
  exports dev.sluice.pci.testdev;
}
