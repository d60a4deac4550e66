package dev.sluice.models.dart.u3;

import dev.sluice.iommu.EventCounter;
import dev.sluice.iommu.Invalidator;
import java.util.concurrent.atomic.LongAdder;

/// Counts what the DART does, from any thread.
final class U3DartCounters {
  private final EventCounter walks = new EventCounter();
  private final LongAdder flushes = new LongAdder();
  private final LongAdder pages = new LongAdder();
  private final LongAdder exceptions = new LongAdder();

  void walked() {
    walks.increment();
  }

  void invalidated(TlbRequest request) {
    if (request.isPage()) {
      pages.increment();
    } else {
      flushes.increment();
    }
  }

  void refused() {
    exceptions.increment();
  }

  U3DartStatistics snapshot(Invalidator.Statistics drains) {
    return new U3DartStatistics(walks.sum(), flushes.sum(), pages.sum(), exceptions.sum(), drains);
  }
}
