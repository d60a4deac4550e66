package dev.sluice.models.vtd;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The context-cache, VT-d specification 6.2.2: context entries by requester. Present and valid
/// ones; with caching mode (6.1) also others, under domain id 0.
///
/// An entry stays until an invalidation drops it, whatever becomes of it in memory: a guest that
/// changes an entry and forgets to invalidate keeps the old one. It holds at most one entry for
/// each attached requester.
final class ContextCache {
  /// The domain id under which entries are kept that have none, as they are not present or not
  /// valid.
  static final int NO_DOMAIN = 0;

  private record Cached(ContextEntry entry, int domainId) {}

  private final Map<Integer, Cached> entries = new ConcurrentHashMap<>();

  /// Counts invalidations; written under this, read without.
  private volatile long generation;

  /// To be taken before the root entry is read; [#insert] wants it back.
  long ticket() {
    return generation;
  }

  @Nullable ContextEntry lookup(int requester) {
    Cached cached = entries.get(requester);
    return cached == null ? null : cached.entry();
  }

  /// Keeps an entry.
  ///
  /// @param domainId its domain id, or [#NO_DOMAIN]
  /// @return false when an invalidation has come since the ticket; the entry may be stale and was
  ///   not kept
  synchronized boolean insert(int requester, ContextEntry entry, int domainId, long ticket) {
    if (ticket != generation) {
      return false;
    }
    entries.put(requester, new Cached(entry, domainId));
    return true;
  }

  /// Drops every entry.
  synchronized void dropAll() {
    generation++;
    entries.clear();
  }

  /// Drops the entries with a domain id.
  synchronized void dropDomain(int domainId) {
    generation++;
    entries.values().removeIf(cached -> cached.domainId() == domainId);
  }

  /// Drops the entries of some requesters if they have the domain id that the guest says they have.
  ///
  /// @return the requesters that are meant and keep their entry, as its domain id is another
  synchronized Set<Integer> dropRequesters(CacheInvalidation.ContextDevice meant) {
    generation++;
    Set<Integer> spared = new HashSet<>();
    entries
        .entrySet()
        .removeIf(one -> {
          if (!meant.matches(one.getKey())) {
            return false;
          }
          boolean drop = one.getValue().domainId() == meant.domainId();
          if (!drop) {
            spared.add(one.getKey());
          }
          return drop;
        });
    return spared;
  }
}
