package dev.sluice.models.vtd;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/// The context-cache, VT-d specification 6.2.2: context entries by requester. Present and valid
/// ones; with caching mode (6.1) also others, under domain id 0.
///
/// An entry stays until an invalidation drops it, whatever becomes of it in memory: a guest that
/// changes an entry and forgets to invalidate keeps the old one. It holds at most one entry for
/// each attached requester.
///
/// Laid out as the tables are, a place for each function of each bus that has an entry, so that a
/// lookup is two loads: every walk begins with one.
final class ContextCache {
  /// The domain id under which entries are kept that have none, as they are not present or not
  /// valid.
  static final int NO_DOMAIN = 0;

  private static final int BUSES = 256;
  private static final int FUNCTION_BITS = 8;
  private static final int FUNCTIONS = 1 << FUNCTION_BITS;

  /// A context entry that is kept.
  ///
  /// @param domainId that it is kept under
  /// @param secondStage what it leads to; null when it is no valid one with a second-stage table
  record Cached(ContextEntry entry, int domainId, @Nullable SecondStage secondStage) {}

  /// Changed under this, read without.
  private final AtomicReferenceArray<@Nullable AtomicReferenceArray<@Nullable Cached>> buses =
      new AtomicReferenceArray<>(BUSES);

  /// Counts invalidations; written under this, read without.
  private volatile long generation;

  /// To be taken before the root entry is read; [#insert] wants it back.
  long ticket() {
    return generation;
  }

  /// The entry of a requester, 0 to 0xFFFF.
  @Nullable Cached lookup(int requester) {
    AtomicReferenceArray<@Nullable Cached> bus = buses.getAcquire(requester >>> FUNCTION_BITS);
    return bus == null ? null : bus.getAcquire(requester & (FUNCTIONS - 1));
  }

  /// Keeps an entry.
  ///
  /// @return false when an invalidation has come since the ticket; the entry may be stale and was
  ///   not kept
  synchronized boolean insert(int requester, Cached entry, long ticket) {
    if (ticket != generation) {
      return false;
    }
    AtomicReferenceArray<@Nullable Cached> bus = buses.getPlain(requester >>> FUNCTION_BITS);
    if (bus == null) {
      bus = new AtomicReferenceArray<>(FUNCTIONS);
      buses.setRelease(requester >>> FUNCTION_BITS, bus);
    }
    bus.setRelease(requester & (FUNCTIONS - 1), entry);
    return true;
  }

  /// Drops every entry.
  synchronized void dropAll() {
    generation++;
    dropIf(_ -> true, _ -> true);
  }

  /// Drops the entries with a domain id.
  synchronized void dropDomain(int domainId) {
    generation++;
    dropIf(_ -> true, domain -> domain == domainId);
  }

  /// Drops the entries of some requesters if they have the domain id that the guest says they have.
  ///
  /// @return the requesters that are meant and keep their entry, as its domain id is another
  synchronized Set<Integer> dropRequesters(CacheInvalidation.ContextDevice meant) {
    generation++;
    return dropIf(meant::matches, domain -> domain == meant.domainId());
  }

  /// @return the requesters that are meant and keep their entry
  private Set<Integer> dropIf(IntPredicate requesters, IntPredicate domains) {
    Set<Integer> spared = new HashSet<>();
    for (int i = 0; i < BUSES; i++) {
      AtomicReferenceArray<@Nullable Cached> bus = buses.getPlain(i);
      for (int function = 0; bus != null && function < FUNCTIONS; function++) {
        Cached cached = bus.getPlain(function);
        int requester = i << FUNCTION_BITS | function;
        if (cached == null || !requesters.test(requester)) {
          continue;
        }
        if (domains.test(cached.domainId())) {
          bus.setRelease(function, null);
        } else {
          spared.add(requester);
        }
      }
    }
    return spared;
  }
}
