/// IOMMU models: each a package named after its architecture, over a shared register bank and
/// page-table walk.
module dev.sluice.models {
  requires transitive dev.sluice.core;
  requires static transitive org.jspecify;

  exports dev.sluice.models.dart.apple;
  exports dev.sluice.models.dart.u3;
  exports dev.sluice.models.spapr;
  exports dev.sluice.models.vtd;
}
