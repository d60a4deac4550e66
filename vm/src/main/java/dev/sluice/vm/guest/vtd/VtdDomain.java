package dev.sluice.vm.guest.vtd;

import dev.sluice.vm.guest.dma.DmaBuffer;
import dev.sluice.vm.guest.dma.DmaDirection;
import dev.sluice.vm.guest.dma.DmaMapper;
import dev.sluice.vm.guest.machine.HardwareException;
import dev.sluice.vm.guest.machine.Ram;
import java.util.ArrayList;
import java.util.List;

/// The address space of one function: Linux's DMA domain.
public final class VtdDomain implements DmaMapper {
  /// How many unmaps a lazy domain collects before it flushes. Linux collects 256 for each
  /// processor, or flushes after 10 ms; a fixed smaller number makes every run the same.
  static final int FLUSH_QUEUE = 16;

  private final VtdUnit unit;
  private final int id;
  private final SecondStageTable table;
  private final IovaAllocator addresses;
  private final Flushing flushing;
  private final List<Unmapped> unflushed = new ArrayList<>();

  private record Unmapped(long iova, int order, List<Long> tables) {}

  VtdDomain(VtdUnit unit, int id, SecondStageTable table, int addressWidth, Flushing flushing) {
    this.unit = unit;
    this.id = id;
    this.table = table;
    this.flushing = flushing;
    addresses = new IovaAllocator(addressWidth);
  }

  /// The domain id in the context entry.
  public int id() {
    return id;
  }

  /// When unmapped addresses are invalidated.
  public Flushing flushing() {
    return flushing;
  }

  SecondStageTable table() {
    return table;
  }

  @Override
  public DmaBuffer map(long[] pages, DmaDirection direction) throws HardwareException {
    int order = orderOf(pages.length);
    long iova = addresses.allocate(order);
    long[] busAddresses = new long[pages.length];
    for (int i = 0; i < pages.length; i++) {
      busAddresses[i] = iova + (long) i * Ram.PAGE;
      table.map(busAddresses[i], pages[i], direction.readable(), direction.writable());
    }
    unit.flushWriteBuffer();
    if (unit.capabilities().cachingMode()) {
      unit.submit(pagesDescriptor(iova, order, false));
    }
    return new DmaBuffer(pages, busAddresses);
  }

  @Override
  public void unmap(DmaBuffer buffer) throws HardwareException {
    if (flushing == Flushing.STRICT) {
      beginUnmap(buffer).await();
      return;
    }
    unflushed.add(clear(buffer));
    if (unflushed.size() == FLUSH_QUEUE) {
      flush();
    }
  }

  /// Takes a buffer out of the tables; the hardware does not know yet.
  private Unmapped clear(DmaBuffer buffer) {
    long iova = buffer.busAddress(0);
    return new Unmapped(iova, orderOf(buffer.pageCount()), table.unmap(iova, buffer.pageCount()));
  }

  /// Takes away what [#map] gave, strictly, and does not wait for it.
  public Unmapping beginUnmap(DmaBuffer buffer) throws HardwareException {
    Unmapped cleared = clear(buffer);
    unit.flushWriteBuffer();
    boolean leavesOnly = cleared.tables().isEmpty();
    return new Unmapping(
        unit.begin(pagesDescriptor(cleared.iova(), cleared.order(), leavesOnly)), cleared);
  }

  /// An unmap that is under way.
  public final class Unmapping {
    private final InvalidationQueue.Submission invalidation;
    private final Unmapped unmapped;

    private Unmapping(InvalidationQueue.Submission invalidation, Unmapped unmapped) {
      this.invalidation = invalidation;
      this.unmapped = unmapped;
    }

    /// Whether the hardware says that the device cannot reach the pages any more.
    ///
    /// @throws HardwareException when the hardware reports an error
    public boolean isComplete() throws HardwareException {
      return invalidation.isComplete();
    }

    /// Waits until it does; the pages may be used for anything then, and the addresses again. To be
    /// called once.
    ///
    /// @throws HardwareException when the hardware reports an error or does not complete
    public void await() throws HardwareException {
      invalidation.await();
      release(unmapped);
    }
  }

  /// Invalidates the whole domain and lets go of everything that was unmapped before.
  void flush() throws HardwareException {
    unit.flushWriteBuffer();
    unit.submit(Descriptor.iotlbDomain(unit.capabilities(), id));
    unflushed.forEach(this::release);
    unflushed.clear();
  }

  private void release(Unmapped unmapped) {
    unmapped.tables().forEach(unit::freePage);
    addresses.free(unmapped.iova(), unmapped.order());
  }

  private Descriptor pagesDescriptor(long iova, int order, boolean leavesOnly) {
    Capabilities capabilities = unit.capabilities();
    return capabilities.canInvalidatePages(order)
        ? Descriptor.iotlbPages(capabilities, id, iova, order, leavesOnly)
        : Descriptor.iotlbDomain(capabilities, id);
  }

  /// log2 of a number of pages, rounded up.
  private static int orderOf(int pages) {
    return Integer.SIZE - Integer.numberOfLeadingZeros(pages - 1);
  }
}
