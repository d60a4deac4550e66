package dev.sluice.testkit.soak;

import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;
import dev.sluice.testkit.vtd.VtdSoak;
import java.util.List;
import java.util.function.Predicate;

/// A guest that leaves some of its invalidations out: to the soak, that is an IOMMU that reports
/// them as complete and does nothing.
final class CarelessGuest implements SoakIommu {
  private final SoakIommu careful;
  private final Predicate<Scope> leftOut;

  CarelessGuest(SoakMemory memory, Predicate<Scope> leftOut) {
    careful = VtdSoak.queued(memory);
    this.leftOut = leftOut;
  }

  @Override
  public Iommu iommu() {
    return careful.iommu();
  }

  @Override
  public void map(int space, long iova, long address, int order, Access rights) {
    careful.map(space, iova, address, order, rights);
  }

  @Override
  public void unmap(int space, long iova, int order) {
    careful.unmap(space, iova, order);
  }

  @Override
  public int largeOrder() {
    return careful.largeOrder();
  }

  @Override
  public void bind(RequesterId requester, int space) {
    careful.bind(requester, space);
  }

  @Override
  public void unbind(RequesterId requester) {
    careful.unbind(requester);
  }

  @Override
  public void invalidate(int guest, List<Scope> scopes, Waiting waiting) {
    List<Scope> left = scopes.stream().filter(leftOut.negate()).toList();
    if (!left.isEmpty()) {
      careful.invalidate(guest, left, waiting);
    }
  }

  @Override
  public void close() {
    careful.close();
  }
}
