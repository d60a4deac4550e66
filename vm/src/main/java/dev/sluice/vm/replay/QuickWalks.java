package dev.sluice.vm.replay;

import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.Iotlb;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.Ram;
import dev.sluice.memory.RamRegion;
import java.util.HashSet;
import java.util.Set;

/// Asks a model for translations in the quick form ([Iommu#walk]), which is about pages in RAM.
///
/// The partition of a replay has no RAM. So each requester has a twin with a memory of its own,
/// which has RAM wherever an answer has to lead.
final class QuickWalks {
  /// Pages of RAM that are there at a time: a recording may lead to any number of them, and no more
  /// regions than these have a [Ram] address.
  private static final int PAGES = 256;

  private final Iommu iommu;
  private final GuestMemory memory = new GuestMemory();
  private final Set<Long> pages = new HashSet<>();

  QuickWalks(Iommu iommu) {
    this.iommu = iommu;
  }

  /// The twin of a requester.
  Endpoint attach(RequesterId requester) {
    return iommu.invalidator().attach(requester, memory);
  }

  /// Whether the quick form says what was recorded, and the other form has confirmed: all of it for
  /// a page of 4 KiB that allows the access, nothing for any other.
  ///
  /// @param device the requester; nothing is said for one that is not bound
  /// @param twin its twin
  /// @param pageShift log2 of the bytes of the window's pages
  boolean agree(
      Endpoint device,
      Endpoint twin,
      long ioba,
      Access access,
      SpaprEvent.Translated recorded,
      int pageShift) {
    Iotlb bound = device.space();
    if (bound == null) {
      return true;
    }
    boolean quick = recorded.rights() != 0 && 1 << pageShift == GuestMemory.PAGE;
    long expected = quick ? walked(recorded.page(), recorded.rights()) : Iotlb.MISS;
    Iotlb space = iommu.invalidator().space(bound.tag(), twin);
    return iommu.walk(twin, space, ioba, access) == expected;
  }

  private long walked(long address, int rights) {
    if (pages.size() == PAGES) {
      memory.remove(0, -1, () -> {});
      pages.clear();
    }
    if (pages.add(address)) {
      memory.addRam(address, RamRegion.allocate(GuestMemory.PAGE));
    }
    long ram = memory.ramAddress(address, GuestMemory.PAGE, true);
    if (ram == Ram.NOWHERE) {
      // Both sides would say nothing, and agree.
      throw new IllegalStateException("the page at 0x%x has no RAM address".formatted(address));
    }
    return Iotlb.walked(ram, rights);
  }
}
