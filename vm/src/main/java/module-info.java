/// A virtual platform: PCI functions, an IOMMU and memory joined into one machine, and the guest
/// that runs on it.
///
/// The one module that sees both devices and IOMMU models.
module dev.sluice.vm {
  requires transitive dev.sluice.models;
  requires transitive dev.sluice.vfiouser;
  requires static transitive org.jspecify;

  exports dev.sluice.vm;
  exports dev.sluice.vm.check;
  exports dev.sluice.vm.replay;
}
