package dev.sluice.dma;

import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Invalidation;
import dev.sluice.iommu.Invalidator;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.Iotlb;
import dev.sluice.iommu.Revocation;
import dev.sluice.iommu.Small;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import dev.sluice.memory.Word;
import java.lang.foreign.Arena;
import java.nio.ByteOrder;

/// A device behind an IOMMU whose table has one page, of two that a guest has: page 0 until
/// [#moveAndInvalidate()], then page 1. The device has been there before, so page 0 is cached.
final class StressMachine implements Iommu {
  static final int OLD_PAGE = 0;
  static final int NEW_PAGE = 1;

  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
  private static final Translation.Page[] PAGES = {page(OLD_PAGE), page(NEW_PAGE)};

  private final Invalidator invalidator = Small.invalidator();
  private final GuestMemory memory = new GuestMemory();
  final DmaContext dma = DmaContext.behind(this, memory, Small.DEVICE);
  private volatile int mapped = OLD_PAGE;

  StressMachine() {
    memory.addRam(
        0, RamRegion.of(Arena.ofAuto().allocate(2 * GuestMemory.PAGE, 8), true, () -> {}));
    dma.revocation(Revocation.immediately());
    dma.load(0, 8, LITTLE, new Word());
  }

  private static Translation.Page page(int number) {
    return new Translation.Page(0, number * GuestMemory.PAGE, 12, true, true, Small.TAG);
  }

  /// What the guest finds at `offset` of one of its pages.
  long peek(int page, long offset) {
    Word word = new Word();
    memory.load(page * GuestMemory.PAGE + offset, 8, LITTLE, word);
    return word.asLong();
  }

  /// The guest writes to a page of its own.
  void poke(int page, long offset, long value) {
    memory.store(page * GuestMemory.PAGE + offset, 8, LITTLE, value);
  }

  /// The guest changes its table, and invalidates.
  void moveAndInvalidate(Runnable completed) {
    mapped = NEW_PAGE;
    invalidator.invalidate(Invalidation.ofRange(Small.TAG, 0, 4095), completed);
  }

  @Override
  public Invalidator invalidator() {
    return invalidator;
  }

  @Override
  public Translation translate(Endpoint endpoint, long iova, Access access) {
    long bindTicket = endpoint.bindTicket();
    Iotlb space = invalidator.space(Small.TAG, endpoint);
    long ticket = space.ticket(iova);
    Translation.Page page = PAGES[mapped];
    space.insert(page, iova, ticket);
    endpoint.bind(space, bindTicket);
    return page;
  }

  @Override
  public void report(Endpoint endpoint, long iova, Access access, Translation.Fault fault) {
    throw new IllegalStateException("nothing is refused here: " + fault);
  }

  @Override
  public void interrupt(Endpoint endpoint, long address, int data) {
    throw new IllegalStateException("no interrupt is sent here");
  }
}
