/// What tests of several modules share: the contract of IOMMU models and a soak for them, builders
/// of page tables that are independent of the walkers, a JUnit extension that finds mappings left
/// open, and a vfio-user client.
module dev.sluice.testkit {
  requires transitive dev.sluice.models;
  requires transitive dev.sluice.vfiouser;
  requires org.assertj.core;
  requires org.junit.jupiter.params;
  requires transitive org.junit.jupiter.api;
  requires static transitive org.jspecify;

  exports dev.sluice.testkit;
  exports dev.sluice.testkit.contract;
  exports dev.sluice.testkit.dart;
  exports dev.sluice.testkit.soak;
  exports dev.sluice.testkit.spapr;
  exports dev.sluice.testkit.vfiouser;
  exports dev.sluice.testkit.vtd;
}
