package dev.sluice.models.vtd;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The context-cache, VT-d specification 6.2.2: context entries that were found present and valid,
/// by requester.
///
/// An entry stays until an invalidation drops it, whatever becomes of it in memory: a guest that
/// changes an entry and forgets to invalidate keeps the old one. It holds at most one entry for
/// each attached requester.
final class ContextCache {
  private final Map<Integer, ContextEntry> entries = new ConcurrentHashMap<>();

  /// Counts invalidations; written under this, read without.
  private volatile long generation;

  /// To be taken before the root entry is read; [#insert] wants it back.
  long ticket() {
    return generation;
  }

  @Nullable ContextEntry lookup(int requester) {
    return entries.get(requester);
  }

  /// Keeps an entry.
  ///
  /// @return false when an invalidation has come since the ticket; the entry may be stale and was
  ///   not kept
  synchronized boolean insert(int requester, ContextEntry entry, long ticket) {
    if (ticket != generation) {
      return false;
    }
    entries.put(requester, entry);
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
    entries.values().removeIf(entry -> entry.domainId() == domainId);
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
          boolean drop =
              meant.matches(one.getKey()) && one.getValue().domainId() == meant.domainId();
          if (!drop && meant.matches(one.getKey())) {
            spared.add(one.getKey());
          }
          return drop;
        });
    return spared;
  }
}
