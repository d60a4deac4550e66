package dev.sluice.bench.jmh;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Invalidator;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.Iotlb;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;

/// The least IOMMU with pages above 2^48: what a cached translation of a wide address costs has to
/// do with core alone, and VT-d's 4-level tables have none.
final class WideIommu implements Iommu {
  /// I/O virtual address of the first page.
  static final long BASE = 0xAB_1234_0000_0000L << 4;

  private static final long TAG = 1;
  private static final int SHIFT = 12;

  private final Invalidator invalidator = new Invalidator();

  @Override
  public Invalidator invalidator() {
    return invalidator;
  }

  @Override
  public Translation translate(Endpoint endpoint, long iova, Access access) {
    long page = (iova - BASE) >>> SHIFT;
    if (page >= VtdMachine.PAGES) {
      return new Translation.Fault(AbortReason.NOT_MAPPED, 0, false);
    }
    Iotlb space = invalidator.space(TAG, endpoint);
    long ticket = space.ticket(iova);
    long bindTicket = endpoint.bindTicket();
    var found =
        new Translation.Page(
            BASE + (page << SHIFT), VtdMachine.scattered((int) page), SHIFT, true, true, TAG);
    space.insert(found, iova, ticket);
    endpoint.bind(space, bindTicket);
    return found;
  }

  @Override
  public void report(Endpoint endpoint, long iova, Access access, Translation.Fault fault) {}

  @Override
  public void interrupt(Endpoint endpoint, long address, int data) {}
}
