package dev.sluice.models.dart.apple;

import dev.sluice.iommu.EventCounter;
import dev.sluice.iommu.Invalidator;
import java.util.concurrent.atomic.LongAdder;

/// Counts what the DART does, from any thread.
final class AppleDartCounters {
  private final EventCounter walks = new EventCounter();
  private final LongAdder invalidations = new LongAdder();
  private final LongAdder errorsRecorded = new LongAdder();
  private final LongAdder errorsLost = new LongAdder();

  void walked() {
    walks.increment();
  }

  void invalidated() {
    invalidations.increment();
  }

  void errorRecorded() {
    errorsRecorded.increment();
  }

  void errorLost() {
    errorsLost.increment();
  }

  AppleDartStatistics snapshot(Invalidator.Statistics drains) {
    return new AppleDartStatistics(
        walks.sum(), invalidations.sum(), errorsRecorded.sum(), errorsLost.sum(), drains);
  }
}
