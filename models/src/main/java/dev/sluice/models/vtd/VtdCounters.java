package dev.sluice.models.vtd;

import dev.sluice.iommu.EventCounter;
import dev.sluice.iommu.Invalidator;
import java.util.concurrent.atomic.LongAdder;

/// Counts what the unit does, from any thread.
final class VtdCounters {
  private final EventCounter walks = new EventCounter();
  private final LongAdder contextGlobal = new LongAdder();
  private final LongAdder contextDomain = new LongAdder();
  private final LongAdder contextDevice = new LongAdder();
  private final LongAdder iotlbGlobal = new LongAdder();
  private final LongAdder iotlbDomain = new LongAdder();
  private final LongAdder iotlbPage = new LongAdder();
  private final LongAdder waits = new LongAdder();
  private final LongAdder queueErrors = new LongAdder();
  private final LongAdder faultsRecorded = new LongAdder();
  private final LongAdder faultsMerged = new LongAdder();
  private final LongAdder faultsLost = new LongAdder();
  private final LongAdder faultsSuppressed = new LongAdder();

  void walked() {
    walks.increment();
  }

  void invalidated(CacheInvalidation what) {
    LongAdder counter =
        switch (what) {
          case CacheInvalidation.ContextGlobal _ -> contextGlobal;
          case CacheInvalidation.ContextDomain _ -> contextDomain;
          case CacheInvalidation.ContextDevice _ -> contextDevice;
          case CacheInvalidation.IotlbGlobal _ -> iotlbGlobal;
          case CacheInvalidation.IotlbDomain _ -> iotlbDomain;
          case CacheInvalidation.IotlbPages _ -> iotlbPage;
        };
    counter.increment();
  }

  void waited() {
    waits.increment();
  }

  void queueFailed() {
    queueErrors.increment();
  }

  void faultRecorded() {
    faultsRecorded.increment();
  }

  void faultMerged() {
    faultsMerged.increment();
  }

  void faultLost() {
    faultsLost.increment();
  }

  void faultSuppressed() {
    faultsSuppressed.increment();
  }

  VtdStatistics snapshot(Invalidator.Statistics drains) {
    return new VtdStatistics(
        walks.sum(),
        new VtdStatistics.Invalidations(
            contextGlobal.sum(),
            contextDomain.sum(),
            contextDevice.sum(),
            iotlbGlobal.sum(),
            iotlbDomain.sum(),
            iotlbPage.sum(),
            waits.sum(),
            queueErrors.sum()),
        new VtdStatistics.Faults(
            faultsRecorded.sum(), faultsMerged.sum(), faultsLost.sum(), faultsSuppressed.sum()),
        drains);
  }
}
