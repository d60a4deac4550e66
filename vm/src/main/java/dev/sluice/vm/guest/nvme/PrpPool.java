package dev.sluice.vm.guest.nvme;

import dev.sluice.vm.guest.dma.DmaBuffer;
import dev.sluice.vm.guest.dma.DmaDirection;
import dev.sluice.vm.guest.dma.DmaMapper;
import dev.sluice.vm.guest.machine.DriverView;
import dev.sluice.vm.guest.machine.HardwareException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// Pages for PRP lists, which stay mapped while the driver is bound: Linux's `dma_pool`.
final class PrpPool {
  private final DriverView machine;
  private final DmaMapper dma;
  private final List<DmaBuffer> all = new ArrayList<>();
  private final Deque<DmaBuffer> free = new ArrayDeque<>();

  PrpPool(DriverView machine, DmaMapper dma) {
    this.machine = machine;
    this.dma = dma;
  }

  /// A page with a list of the addresses of `data` from its second page on (4.3).
  DmaBuffer listOf(DmaBuffer data) throws HardwareException {
    DmaBuffer list = free.isEmpty() ? grow() : free.pop();
    for (int i = 1; i < data.pageCount(); i++) {
      machine.ram().store64(list.page(0) + (i - 1L) * Long.BYTES, data.busAddress(i));
    }
    return list;
  }

  private DmaBuffer grow() throws HardwareException {
    DmaBuffer page = dma.map(new long[] {machine.pages().allocate()}, DmaDirection.BIDIRECTIONAL);
    all.add(page);
    return page;
  }

  /// Takes a list back whose command has completed.
  void free(DmaBuffer list) {
    free.push(list);
  }

  /// Gives all memory back.
  void release() throws HardwareException {
    for (DmaBuffer page : all) {
      dma.unmap(page);
      machine.pages().free(page.page(0));
    }
    all.clear();
    free.clear();
  }
}
