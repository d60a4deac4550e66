package dev.sluice.testkit.contract;

import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Invalidator;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.Iotlb;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;

/// A model whose drain is switched off: its devices tell another invalidator what they have under
/// way, one that nobody ever asks. So the model's caches forget what they are told to forget, and
/// then every invalidation is complete at once, whatever a device still holds.
final class WithoutDrain implements Iommu {
  private final Iommu model;
  private final Invalidator blind = new Invalidator();

  WithoutDrain(Iommu model) {
    this.model = model;
  }

  @Override
  public Invalidator invalidator() {
    return blind;
  }

  @Override
  public Translation translate(Endpoint endpoint, long iova, Access access) {
    return model.translate(endpoint, iova, access);
  }

  @Override
  public long walk(Endpoint endpoint, Iotlb space, long iova, Access access) {
    return model.walk(endpoint, space, iova, access);
  }

  @Override
  public void report(Endpoint endpoint, long iova, Access access, Translation.Fault fault) {
    model.report(endpoint, iova, access, fault);
  }

  @Override
  public void interrupt(Endpoint endpoint, long address, int data) {
    model.interrupt(endpoint, address, data);
  }
}
