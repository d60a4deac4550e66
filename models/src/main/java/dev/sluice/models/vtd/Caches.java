package dev.sluice.models.vtd;

import dev.sluice.iommu.Invalidation;
import dev.sluice.iommu.Invalidator;
import dev.sluice.models.registers.ResetDrains;
import java.util.List;
import java.util.Set;

/// Carries out invalidations: drops what the unit's caches hold and lets core drain what is under
/// way.
///
/// A context-cache invalidation takes bindings, not translations: the guest has to invalidate the
/// IOTLB after it (6.5.3.3), and meets its own mistake if it does not. A page-selective one takes
/// its pages and no others, and their tables only if it does not say that leaves alone have changed
/// (6.5.2.3).
///
/// What this unit keeps is dropped before core counts the invalidation: [PdeCaches] says why.
final class Caches {
  private final Invalidator invalidator;
  private final ContextCache contexts;
  private final PdeCaches directories;
  private final AbsentPages absent;
  private final VtdCounters counters;
  private final DrainBudget budget;
  private final ResetDrains resets;

  Caches(
      Invalidator invalidator,
      ContextCache contexts,
      PdeCaches directories,
      AbsentPages absent,
      VtdCounters counters,
      DrainBudget budget) {
    this.invalidator = invalidator;
    this.contexts = contexts;
    this.directories = directories;
    this.absent = absent;
    this.counters = counters;
    this.budget = budget;
    resets = new ResetDrains(invalidator);
  }

  /// Whether the queue may begin another invalidation.
  boolean hasRoomForQueue() {
    return budget.hasRoomForQueue();
  }

  /// Invalidates; `completed` runs once, on this thread or the one that ends the last access, when
  /// nothing obtained before can touch memory any more.
  void invalidate(CacheInvalidation what, Runnable completed) {
    budget.begin(drained -> begin(what, drained), completed);
  }

  private void begin(CacheInvalidation what, Runnable completed) {
    counters.invalidated(what);
    switch (what) {
      case CacheInvalidation.ContextGlobal _ -> {
        contexts.dropAll();
        invalidator.invalidate(Invalidation.ofBindings(), completed);
      }
      case CacheInvalidation.ContextDomain(int domainId) -> {
        contexts.dropDomain(domainId);
        invalidator.invalidate(Invalidation.ofBindings(domainId), completed);
      }
      case CacheInvalidation.ContextDevice device -> begin(device, completed);
      case CacheInvalidation.IotlbGlobal _ -> {
        directories.dropAll();
        absent.dropAll();
        invalidator.invalidate(Invalidation.ofTranslations(), completed);
      }
      case CacheInvalidation.IotlbDomain(int domainId) -> {
        directories.dropDomain(domainId);
        absent.dropDomain(domainId);
        invalidator.invalidate(domainId, 0, -1, completed);
      }
      case CacheInvalidation.IotlbPages pages -> begin(pages, completed);
    }
  }

  private void begin(CacheInvalidation.IotlbPages pages, Runnable completed) {
    if (!pages.leavesOnly()) {
      directories.dropRange(pages.domainId(), pages.first(), pages.last());
    }
    absent.dropRange(pages.domainId(), pages.first(), pages.last());
    invalidator.invalidate(pages.domainId(), pages.first(), pages.last(), completed);
  }

  /// Takes the bindings of the functions that are meant, also of those without a cached entry: one
  /// of their accesses may have read the old entry and not be through yet.
  private void begin(CacheInvalidation.ContextDevice device, Runnable completed) {
    Set<Integer> spared = contexts.dropRequesters(device);
    List<Invalidation> bindings =
        invalidator.endpoints().stream()
            .filter(endpoint -> device.matches(endpoint.requester().value()))
            .filter(endpoint -> !spared.contains(endpoint.requester().value()))
            .map(Invalidation::ofBinding)
            .toList();
    invalidator.invalidate(bindings, completed);
  }

  /// Takes every binding and keeps every cache: translation was switched on or off.
  void rebind(Runnable completed) {
    budget.begin(drained -> invalidator.invalidate(Invalidation.ofBindings(), drained), completed);
  }

  /// Forgets what has not begun, for a reset: nobody is to be told of it.
  void reset() {
    budget.reset();
  }

  /// Empties every cache, for a reset.
  ///
  /// @param drained runs once, when no access from before can touch memory any more
  void clear(Runnable drained) {
    contexts.dropAll();
    directories.forgetAll();
    absent.dropAll();
    resets.begin(drained);
  }
}
