package dev.sluice.vm.replay;

import dev.sluice.models.spapr.PartitionableEndpoint.Window;
import dev.sluice.models.spapr.RtasFunction;
import dev.sluice.models.spapr.SpaprIommu;
import dev.sluice.models.spapr.VirtualCpu;
import dev.sluice.vm.replay.SpaprEvent.WindowCreation;
import dev.sluice.vm.replay.SpaprEvent.WindowQuery;
import dev.sluice.vm.replay.SpaprEvent.WindowRemoval;
import dev.sluice.vm.replay.SpaprEvent.WindowReset;
import org.jspecify.annotations.Nullable;

/// The RTAS calls of a recording, each repeated and compared. QEMU traces those that succeeded.
final class RecordedWindowCalls {
  private static final int PAGE_SHIFT = 12;

  private final SpaprIommu iommu;
  private final VirtualCpu cpu;
  private final Spaces spaces;
  private final DerivedEntries derived;
  private long count;

  RecordedWindowCalls(SpaprIommu iommu, VirtualCpu cpu, Spaces spaces, DerivedEntries derived) {
    this.iommu = iommu;
    this.cpu = cpu;
    this.spaces = spaces;
    this.derived = derived;
  }

  /// How many the guest has made.
  long count() {
    return count;
  }

  /// Repeats `ibm,query-pe-dma-window`.
  @Nullable Difference query(WindowQuery query) {
    int[] unit = unit(query.unitId());
    unit[0] = query.address();
    return call(
        RtasFunction.QUERY_PE_DMA_WINDOW,
        6,
        "status=0 windows=%d largest=0x%x pages=0x%x"
            .formatted(query.available(), query.largest(), query.pageSizes()),
        unit);
  }

  /// Repeats `ibm,create-pe-dma-window`.
  @Nullable Difference create(WindowCreation creation) {
    int[] unit = unit(creation.unitId());
    return call(
        RtasFunction.CREATE_PE_DMA_WINDOW,
        4,
        "status=0 liobn=0x%x base=0x%x".formatted(creation.liobn(), creation.base()),
        creation.address(),
        unit[1],
        unit[2],
        Long.numberOfTrailingZeros(creation.pageBytes()),
        Long.numberOfTrailingZeros(creation.windowBytes()));
  }

  /// Repeats `ibm,remove-pe-dma-window`. QEMU leaves a bridge without any window when its last one
  /// is removed. LoPAR has the default window come back, and so it does here: it is removed once
  /// more.
  @Nullable Difference remove(WindowRemoval removal) {
    long liobn = removal.liobn();
    Window window = spaces.window(liobn);
    Spaces.Space space = spaces.of(liobn);
    boolean restores =
        window != null && space != null && !window.isDefault() && space.windows().get().size() == 1;
    derived.replaced(liobn, 0, -1, PAGE_SHIFT);
    Difference difference = call(RtasFunction.REMOVE_PE_DMA_WINDOW, 1, "status=0", (int) liobn);
    return difference == null && restores
        ? answer(RtasFunction.REMOVE_PE_DMA_WINDOW, 1, "status=0", (int) RecordedLiobn.space(liobn))
        : difference;
  }

  /// Repeats `ibm,reset-pe-dma-windows`.
  @Nullable Difference reset(WindowReset reset) {
    forgetDerived(reset.unitId());
    int[] unit = unit(reset.unitId());
    unit[0] = reset.address();
    return call(RtasFunction.RESET_PE_DMA_WINDOWS, 1, "status=0", unit);
  }

  /// The same, of the machine and not of the guest.
  void resetUnasked(long unitId) {
    forgetDerived(unitId);
    iommu.rtas(cpu, RtasFunction.RESET_PE_DMA_WINDOWS, unit(unitId), new int[1]);
  }

  private void forgetDerived(long unitId) {
    for (Window window : spaces.windows(unitId)) {
      derived.replaced(window.liobn(), 0, -1, PAGE_SHIFT);
    }
  }

  private static int[] unit(long unitId) {
    return new int[] {0, (int) (unitId >>> 32), (int) unitId};
  }

  /// A call that the guest made.
  private @Nullable Difference call(
      RtasFunction function, int outputCount, String recorded, int... inputs) {
    count++;
    return answer(function, outputCount, recorded, inputs);
  }

  private @Nullable Difference answer(
      RtasFunction function, int outputCount, String recorded, int... inputs) {
    int[] outputs = new int[outputCount];
    iommu.rtas(cpu, function, inputs, outputs);
    String cameOut = describe(function, outputs);
    return cameOut.equals(recorded) ? null : new Difference(recorded, cameOut);
  }

  private static String describe(RtasFunction function, int[] out) {
    if (out[0] != 0) {
      return "status=" + out[0];
    }
    return switch (function) {
      case QUERY_PE_DMA_WINDOW ->
          "status=0 windows=%d largest=0x%x pages=0x%x".formatted(out[1], wide(out, 2), out[4]);
      case CREATE_PE_DMA_WINDOW -> "status=0 liobn=0x%x base=0x%x".formatted(out[1], wide(out, 2));
      default -> "status=0";
    };
  }

  private static long wide(int[] cells, int at) {
    return (long) cells[at] << 32 | Integer.toUnsignedLong(cells[at + 1]);
  }
}
