package dev.sluice.models.spapr;

import dev.sluice.iommu.Invalidator;
import org.jspecify.annotations.Nullable;

/// The RTAS calls on windows: LoPAR, "DMA Window Manipulation Calls". A call that takes something
/// away is complete when it is drained, like a hypercall; LoPAR has software empty a table before
/// it removes the window, and the model does not rely on that.
final class WindowCalls {
  private final SpaprConfig config;
  private final DmaWindows windows;
  private final Invalidator invalidator;
  private final HaltedCalls halted;
  private final SpaprCounters counters;

  WindowCalls(
      SpaprConfig config,
      DmaWindows windows,
      Invalidator invalidator,
      HaltedCalls halted,
      SpaprCounters counters) {
    this.config = config;
    this.windows = windows;
    this.invalidator = invalidator;
    this.halted = halted;
    this.counters = counters;
  }

  /// Makes a call.
  ///
  /// @param outputs filled in when the call is complete
  /// @param complete runs then
  /// @return what `complete` returned, or [ReturnCode#HALTED]
  long call(
      VirtualCpu cpu,
      RtasFunction function,
      int[] inputs,
      int[] outputs,
      PendingCall.Finish complete) {
    return switch (function) {
      case QUERY_PE_DMA_WINDOW -> query(inputs, outputs, complete);
      case CREATE_PE_DMA_WINDOW -> create(inputs, outputs, complete);
      case REMOVE_PE_DMA_WINDOW ->
          drain(
              cpu,
              isCall(inputs, 1, outputs, 1) ? windows.remove(unsigned(inputs[0])) : null,
              outputs,
              complete);
      case RESET_PE_DMA_WINDOWS -> drain(cpu, reset(inputs, outputs), outputs, complete);
      case SET_TCE_BYPASS ->
          drain(
              cpu,
              isCall(inputs, 2, outputs, 1)
                  ? windows.bypass(unsigned(inputs[0]), inputs[1] != 0)
                  : null,
              outputs,
              complete);
    };
  }

  private long query(int[] inputs, int[] outputs, PendingCall.Finish complete) {
    boolean wide = outputs.length == 6;
    PartitionableEndpoint bridge =
        isCall(inputs, 3, outputs, wide ? 6 : 5) ? windows.dynamic(unitId(inputs)) : null;
    if (bridge == null) {
      return refuse(outputs, complete);
    }
    int at = 0;
    outputs[at++] = RtasStatus.SUCCESS;
    outputs[at++] = windows.available(bridge);
    long largest = config.largestWindow();
    if (wide) {
      outputs[at++] = (int) (largest >>> Integer.SIZE);
      outputs[at++] = (int) largest;
    } else {
      outputs[at++] = (int) Math.min(largest, 0xFFFF_FFFFL);
    }
    outputs[at++] = IoPageSizes.mask(config.ioPageShifts());
    outputs[at] = 0;
    return complete.finish();
  }

  private long create(int[] inputs, int[] outputs, PendingCall.Finish complete) {
    PartitionableEndpoint bridge =
        isCall(inputs, 5, outputs, 4) ? windows.dynamic(unitId(inputs)) : null;
    DmaWindow made = bridge == null ? null : windows.create(bridge, inputs[3], inputs[4]);
    if (made == null) {
      return refuse(outputs, complete);
    }
    outputs[0] = RtasStatus.SUCCESS;
    outputs[1] = (int) made.liobn();
    outputs[2] = (int) (made.base() >>> Integer.SIZE);
    outputs[3] = (int) made.base();
    return complete.finish();
  }

  private DmaWindows.@Nullable Removal reset(int[] inputs, int[] outputs) {
    PartitionableEndpoint bridge =
        isCall(inputs, 3, outputs, 1) ? windows.dynamic(unitId(inputs)) : null;
    return bridge == null ? null : windows.reset(bridge);
  }

  private static boolean isCall(int[] inputs, int inputCount, int[] outputs, int outputCount) {
    return inputs.length == inputCount && outputs.length == outputCount;
  }

  /// The second and third input. The first, a configuration address, names a function below the
  /// bridge; all of them share its windows.
  private static long unitId(int[] inputs) {
    return (long) inputs[1] << Integer.SIZE | unsigned(inputs[2]);
  }

  private static long unsigned(int cell) {
    return Integer.toUnsignedLong(cell);
  }

  private long drain(
      VirtualCpu cpu,
      DmaWindows.@Nullable Removal removal,
      int[] outputs,
      PendingCall.Finish complete) {
    if (removal == null) {
      return refuse(outputs, complete);
    }
    counters.drained();
    PendingCall call =
        new PendingCall(
            halted,
            cpu,
            removal.space()::drainEnds,
            () -> {
              outputs[0] = RtasStatus.SUCCESS;
              return complete.finish();
            });
    invalidator.invalidate(removal.space().tag(), removal.first(), removal.last(), call);
    return call.returnOrHalt();
  }

  /// A call without an output has nowhere to say so.
  static long refuse(int[] outputs, PendingCall.Finish complete) {
    if (outputs.length > 0) {
      outputs[0] = RtasStatus.PARAMETER_ERROR;
    }
    return complete.finish();
  }
}
