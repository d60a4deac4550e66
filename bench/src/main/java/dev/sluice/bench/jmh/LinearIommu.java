package dev.sluice.bench.jmh;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Invalidator;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.Iotlb;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;

/// The least IOMMU: one linear range of pages, whoever asks. For what VT-d's 4-level tables in
/// legacy mode do not have, addresses above 2^48 and PASIDs: what a cached translation costs then
/// has to do with core alone.
final class LinearIommu implements Iommu {
  /// I/O virtual address of the first page of one above 2^48.
  static final long WIDE = 0xAB_1234_0000_0000L << 4;

  private static final int SHIFT = 12;

  private final Invalidator invalidator = new Invalidator();
  private final long base;

  /// @param base I/O virtual address of the first page
  LinearIommu(long base) {
    this.base = base;
  }

  @Override
  public Invalidator invalidator() {
    return invalidator;
  }

  @Override
  public Translation translate(Endpoint endpoint, long iova, Access access) {
    long page = (iova - base) >>> SHIFT;
    if (page >= VtdMachine.PAGES) {
      return new Translation.Fault(AbortReason.NOT_MAPPED, 0, false);
    }
    // As in an architecture whose IOTLB knows PASIDs: an address space for each.
    long tag = endpoint.pasid();
    Iotlb space = invalidator.space(tag, endpoint);
    long ticket = space.ticket(iova);
    long bindTicket = endpoint.bindTicket();
    var found =
        new Translation.Page(
            base + (page << SHIFT), VtdMachine.scattered((int) page), SHIFT, true, true, tag);
    space.insert(found, iova, ticket);
    endpoint.bind(space, bindTicket);
    return found;
  }

  @Override
  public void report(Endpoint endpoint, long iova, Access access, Translation.Fault fault) {}

  @Override
  public void interrupt(Endpoint endpoint, long address, int data) {}
}
