package dev.sluice.models.spapr;

import dev.sluice.dma.DmaContext;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import dev.sluice.memory.Word;
import java.lang.foreign.Arena;
import java.nio.ByteOrder;

/// A device in a partition whose table leads bus address 0 to page 0, of two that there are. The
/// device has not been there, so nothing has used the entry.
final class StressPartition {
  static final int OLD_PAGE = 0;
  static final int NEW_PAGE = 1;
  static final long READ_WRITE = 3;

  private static final ByteOrder BIG = ByteOrder.BIG_ENDIAN;
  private static final RequesterId DEVICE = RequesterId.of(0, 1, 0);
  private static final SpaprConfig CONFIG = SpaprConfig.DEFAULT.withDefaultWindowBytes(1 << 16);
  private static final long LIOBN = 0x8000_0000L;

  private final GuestMemory memory = new GuestMemory();
  private final SpaprIommu iommu = new SpaprIommu(CONFIG, memory);
  final DmaContext dma;

  /// A processor that makes one call.
  final class Cpu implements VirtualCpu {
    private final Runnable done;

    /// How often the call ended.
    volatile int ends;

    /// @param done what the guest does when its call is over
    Cpu(Runnable done) {
      this.done = done;
    }

    /// Makes bus address 0 lead to another page, or nowhere.
    void put(long tce) {
      long returned = iommu.hypercall(this, Hypercall.H_PUT_TCE, new long[] {LIOBN, 0, tce, 0});
      if (returned != ReturnCode.HALTED) {
        resume(returned);
      }
    }

    @Override
    public void halt() {
      // Nothing to stop: the processor has no thread.
    }

    @Override
    public synchronized void resume(long returnCode) {
      ends++;
      done.run();
    }
  }

  StressPartition() {
    memory.addRam(
        0, RamRegion.of(Arena.ofAuto().allocate(2 * GuestMemory.PAGE, 8), true, () -> {}));
    iommu.attach(DEVICE, iommu.addHostBridge(0));
    dma = DmaContext.behind(iommu, memory, DEVICE);
    dma.revocation(Revocation.never());
    new Cpu(() -> {}).put(READ_WRITE);
  }

  /// What the guest finds in one of its pages.
  long peek(int page) {
    Word word = new Word();
    memory.load(page * GuestMemory.PAGE, 8, BIG, word);
    return word.asLong();
  }

  /// The guest writes to a page of its own.
  void poke(int page, long value) {
    memory.store(page * GuestMemory.PAGE, 8, BIG, value);
  }

  /// The device writes.
  void store(long value) {
    dma.store(0, 8, BIG, value);
  }
}
