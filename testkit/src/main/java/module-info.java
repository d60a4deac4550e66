/// What tests of several modules share: contract tests for IOMMU models, page-table builders that
/// are independent of the walkers, and a vfio-user client.
module dev.sluice.testkit {
  requires transitive dev.sluice.models;
  requires transitive dev.sluice.vfiouser;
  requires static transitive org.jspecify;

  exports dev.sluice.testkit.soak;
  exports dev.sluice.testkit.vfiouser;
  exports dev.sluice.testkit.vtd;
}
