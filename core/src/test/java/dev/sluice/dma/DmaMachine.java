package dev.sluice.dma;

import dev.sluice.iommu.FakeIommu;
import dev.sluice.iommu.Invalidation;
import dev.sluice.iommu.Invalidator;
import dev.sluice.iommu.ManualClock;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import java.util.ArrayList;
import java.util.List;

/// The smallest machine with DMA: RAM from [#RAM] on, an IOMMU with empty tables, one device.
final class DmaMachine {
  static final long PAGE = GuestMemory.PAGE;
  static final long RAM = 0x10_0000;
  static final long RAM_SIZE = 64 * PAGE;
  static final RequesterId DEVICE = RequesterId.of(0, 5, 0);

  final ManualClock clock = new ManualClock();
  final GuestMemory memory = new GuestMemory();
  final FakeIommu iommu = new FakeIommu(new Invalidator(clock));
  final DmaContext dma = DmaContext.behind(iommu, memory, DEVICE);

  /// What invalidations, in the order in which they completed.
  final List<String> completed = new ArrayList<>();

  DmaMachine() {
    memory.addRam(RAM, RamRegion.allocate(RAM_SIZE));
  }

  /// Maps page `iovaPage` of I/O virtual space to page `ramPage` of RAM.
  DmaMachine map(long iovaPage, long ramPage) {
    return map(iovaPage, ramPage, Access.READ_WRITE);
  }

  DmaMachine map(long iovaPage, long ramPage, Access access) {
    iommu.map(iovaPage * PAGE, RAM + ramPage * PAGE, 12, access);
    return this;
  }

  /// Takes a page out of the guest's tables and invalidates it, as a driver does.
  void unmap(long iovaPage, String name) {
    iommu.unmap(iovaPage * PAGE);
    invalidate(iovaPage, name);
  }

  void invalidate(long iovaPage, String name) {
    iommu
        .invalidator()
        .invalidate(
            Invalidation.ofRange(FakeIommu.TAG, iovaPage * PAGE, iovaPage * PAGE + (PAGE - 1)),
            () -> completed.add(name));
  }

  Mapping mapping(long iova, long length, Access access) {
    return switch (dma.map(iova, length, access)) {
      case Mapping mapping -> mapping;
      case TargetAbort abort -> throw new AssertionError(abort);
    };
  }

  TargetAbort refusedMapping(long iova, long length, Access access) {
    return switch (dma.map(iova, length, access)) {
      case Mapping mapping -> throw new AssertionError(mapping);
      case TargetAbort abort -> abort;
    };
  }
}
