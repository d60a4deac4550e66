package dev.sluice.models.spapr;

import dev.sluice.iommu.EventCounter;
import dev.sluice.iommu.Invalidator;
import java.util.concurrent.atomic.LongAdder;

/// Counts what the model does, from any thread.
final class SpaprCounters {
  private final EventCounter walks = new EventCounter();
  private final LongAdder gets = new LongAdder();
  private final LongAdder puts = new LongAdder();
  private final LongAdder stuffs = new LongAdder();
  private final LongAdder indirects = new LongAdder();
  private final LongAdder rtas = new LongAdder();
  private final LongAdder refused = new LongAdder();
  private final LongAdder drained = new LongAdder();
  private final LongAdder halted = new LongAdder();
  private final LongAdder faults = new LongAdder();

  void walked() {
    walks.increment();
  }

  void called(long opcode, long returnCode) {
    if (opcode == Hypercall.H_PUT_TCE) {
      puts.increment();
    } else if (opcode == Hypercall.H_STUFF_TCE) {
      stuffs.increment();
    } else if (opcode == Hypercall.H_PUT_TCE_INDIRECT) {
      indirects.increment();
    } else if (opcode == Hypercall.H_GET_TCE) {
      gets.increment();
    } else if (opcode == Hypercall.H_RTAS) {
      rtas.increment();
    }
    if (returnCode == ReturnCode.HALTED) {
      halted.increment();
    } else if (returnCode < 0) {
      refused.increment();
    }
  }

  void drained() {
    drained.increment();
  }

  void faulted() {
    faults.increment();
  }

  SpaprStatistics snapshot(int tablePages, Invalidator.Statistics drains) {
    return new SpaprStatistics(
        walks.sum(),
        new SpaprStatistics.Calls(
            gets.sum(),
            puts.sum(),
            stuffs.sum(),
            indirects.sum(),
            rtas.sum(),
            refused.sum(),
            drained.sum(),
            halted.sum()),
        faults.sum(),
        tablePages,
        drains);
  }
}
