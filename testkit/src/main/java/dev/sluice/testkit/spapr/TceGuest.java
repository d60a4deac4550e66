package dev.sluice.testkit.spapr;

import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.models.spapr.Hypercall;
import dev.sluice.models.spapr.PartitionableEndpoint;
import dev.sluice.models.spapr.PartitionableEndpoint.Window;
import dev.sluice.models.spapr.ReturnCode;
import dev.sluice.models.spapr.RtasFunction;
import dev.sluice.models.spapr.RtasStatus;
import dev.sluice.models.spapr.SpaprIommu;
import dev.sluice.models.spapr.VirtualCpu;
import java.nio.ByteOrder;

/// A guest's driver of one bridge's TCE tables, which makes the calls that Linux makes
/// (`arch/powerpc/platforms/pseries/iommu.c`): one page by H_PUT_TCE, several by lists of up to 512
/// for H_PUT_TCE_INDIRECT, and back by H_STUFF_TCE, 512 at a time.
///
/// No thread waits: what a halted call leaves to be done goes on when it is resumed. A call that
/// fails is a defect of the test that drives it, and throws.
public final class TceGuest {
  private static final int MAX_LIST = 512;
  private static final long READ = 1;
  private static final long WRITE = 2;

  private final SpaprIommu iommu;
  private final GuestMemory memory;
  private final PartitionableEndpoint bridge;
  private final long list;
  private Window window;

  /// A driver that uses the default window.
  ///
  /// @param list guest-physical page of the driver's own, for its lists
  public TceGuest(SpaprIommu iommu, GuestMemory memory, PartitionableEndpoint bridge, long list) {
    this.iommu = iommu;
    this.memory = memory;
    this.bridge = bridge;
    this.list = list;
    window = bridge.windows().getFirst();
  }

  /// The window in use.
  public Window window() {
    return window;
  }

  /// Creates a dynamic window and uses it from now on.
  ///
  /// @return false when the bridge offers none such
  public boolean enableDynamicWindow(int pageShift, int windowShift) {
    int high = (int) (bridge.unitId() >>> Integer.SIZE);
    int low = (int) bridge.unitId();
    int[] answer = rtas(RtasFunction.QUERY_PE_DMA_WINDOW, 5, 0, high, low);
    if (answer[0] != RtasStatus.SUCCESS || answer[1] == 0) {
      return false;
    }
    int[] made = rtas(RtasFunction.CREATE_PE_DMA_WINDOW, 4, 0, high, low, pageShift, windowShift);
    if (made[0] != RtasStatus.SUCCESS) {
      return false;
    }
    window = bridge.windows().getLast();
    return true;
  }

  private int[] rtas(RtasFunction function, int outputCount, int... inputs) {
    int[] outputs = new int[outputCount];
    require(iommu.rtas(new Once(), function, inputs, outputs));
    return outputs;
  }

  /// Maps a run of pages, of which none is mapped.
  ///
  /// @param offset of the first, from the window's start
  /// @param physical where it leads; the others lead to the pages behind it
  public void map(long offset, long physical, int pages, boolean writable) {
    long proto = physical | READ | (writable ? WRITE : 0);
    int shift = window.pageShift();
    for (int first = 0; first < pages; ) {
      int count = Math.min(MAX_LIST, pages - first);
      long ioba = window.base() + offset + ((long) first << shift);
      long tce = proto + ((long) first << shift);
      require(
          count == 1
              ? call(new Once(), Hypercall.H_PUT_TCE, ioba, tce, 0)
              : call(new Once(), Hypercall.H_PUT_TCE_INDIRECT, ioba, listOf(tce, count), count));
      first += count;
    }
  }

  private long listOf(long tce, int count) {
    for (int i = 0; i < count; i++) {
      long entry = tce + ((long) i << window.pageShift());
      if (memory.store(list + i * 8L, Long.BYTES, ByteOrder.BIG_ENDIAN, entry) != MemoryStatus.OK) {
        throw new IllegalStateException("no memory for the list");
      }
    }
    return list;
  }

  /// Unmaps a run of pages.
  ///
  /// @param offset of the first, from the window's start
  /// @param done runs once the pages are the guest's again: on this thread, or on the one that
  ///   ended the last access
  public void unmap(long offset, int pages, Runnable done) {
    new Unmapping(window.base() + offset, pages, done).proceed();
  }

  private long call(VirtualCpu cpu, long opcode, long ioba, long third, long fourth) {
    return iommu.hypercall(cpu, opcode, new long[] {window.liobn(), ioba, third, fourth});
  }

  private static void require(long returned) {
    if (returned != ReturnCode.H_SUCCESS) {
      throw new IllegalStateException("the hypercall returned " + returned);
    }
  }

  /// A processor whose call finds nothing to wait for.
  private static final class Once implements VirtualCpu {
    @Override
    public void halt() {
      throw new IllegalStateException("halted though nothing is taken away");
    }

    @Override
    public void resume(long returnCode) {
      throw new IllegalStateException("resumed though never halted");
    }
  }

  /// A processor that clears a run of entries, call by call.
  private final class Unmapping implements VirtualCpu {
    private final Runnable done;
    private long ioba;
    private int left;

    Unmapping(long ioba, int pages, Runnable done) {
      this.ioba = ioba;
      this.left = pages;
      this.done = done;
    }

    /// Makes calls until one is halted. What it changes it changes before the call, which may be
    /// resumed on another thread at once.
    void proceed() {
      while (left > 0) {
        int count = Math.min(MAX_LIST, left);
        long at = ioba;
        ioba += (long) count << window.pageShift();
        left -= count;
        long returned = call(this, Hypercall.H_STUFF_TCE, at, 0, count);
        if (returned == ReturnCode.HALTED) {
          return;
        }
        require(returned);
      }
      done.run();
    }

    @Override
    public void halt() {}

    @Override
    public void resume(long returnCode) {
      require(returnCode);
      proceed();
    }
  }
}
