package dev.sluice.models.spapr;

import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Invalidator;
import dev.sluice.iommu.Iotlb;
import dev.sluice.iommu.Translation;
import dev.sluice.iommu.Translation.Page;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.Ram;

/// What becomes of a request that the IOTLB did not answer: window, entry, page.
///
/// Runs on the device's thread, takes no lock and blocks on nothing. The tickets are taken before
/// the windows and the entry are read.
final class DmaTranslation {
  /// Size of the pages in which a space with bypass is cached.
  private static final int BYPASS_SHIFT = 21;

  private final Invalidator invalidator;
  private final SpaprCounters counters;

  DmaTranslation(Invalidator invalidator, SpaprCounters counters) {
    this.invalidator = invalidator;
    this.counters = counters;
  }

  /// Translates the page that holds `iova`.
  ///
  /// @param bindTicket taken before `space` was looked up
  Translation translate(
      Endpoint endpoint, DmaSpace space, long bindTicket, long iova, Access access) {
    Iotlb cache = invalidator.space(space.tag(), endpoint);
    long ticket = cache.ticket(iova);
    counters.walked();
    DmaSpace.State state = space.state();
    if (state.bypass()) {
      long base = iova & -(1L << BYPASS_SHIFT);
      return found(
          new Page(base, base, BYPASS_SHIFT, true, true, space.tag()),
          endpoint,
          cache,
          ticket,
          bindTicket,
          iova);
    }
    DmaWindow window = state.find(iova);
    if (window == null) {
      return TceFault.Cause.EXTENT.fault();
    }
    long tce = window.table().use(window.index(iova), access);
    if (!Tce.allows(tce, access)) {
      return refusal(tce, access).fault();
    }
    int shift = window.pageShift();
    Page page =
        new Page(
            iova & -(1L << shift),
            Tce.address(tce, shift),
            shift,
            (tce & Tce.READ) != 0,
            (tce & Tce.WRITE) != 0,
            space.tag());
    return found(page, endpoint, cache, ticket, bindTicket, iova);
  }

  /// The quick form for pages of 4 KiB in RAM. The entry is marked here too, before the answer.
  long walk(Endpoint endpoint, DmaSpace space, long iova, Access access) {
    DmaSpace.State state = space.state();
    DmaWindow window = state.bypass() ? null : state.find(iova);
    if (window == null || window.pageShift() != Tce.MIN_PAGE_SHIFT) {
      return Iotlb.MISS;
    }
    long tce = window.table().use(window.index(iova), access);
    if (!Tce.allows(tce, access)) {
      return Iotlb.MISS;
    }
    boolean writable = (tce & Tce.WRITE) != 0;
    long page = Tce.address(tce, Tce.MIN_PAGE_SHIFT);
    long ram = endpoint.memory().ramAddress(page, GuestMemory.PAGE, writable);
    if (ram == Ram.NOWHERE || (ram & (GuestMemory.PAGE - 1)) != 0) {
      return Iotlb.MISS;
    }
    counters.walked();
    return Iotlb.walked(ram, (int) (tce & Tce.RIGHTS));
  }

  private static Page found(
      Page page, Endpoint endpoint, Iotlb cache, long ticket, long bindTicket, long iova) {
    cache.insert(page, iova, ticket);
    endpoint.bind(cache, bindTicket);
    return page;
  }

  private static TceFault.Cause refusal(long tce, Access access) {
    if (!Tce.isMapped(tce)) {
      return TceFault.Cause.PAGE_FAULT;
    }
    return access.reads() && (tce & Tce.READ) == 0
        ? TceFault.Cause.WRITE_ONLY
        : TceFault.Cause.READ_ONLY;
  }
}
