package dev.sluice.models.vtd;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// With caching mode (CAP.CM, VT-d specification 6.1): the pages that a walk found to map nothing.
/// Until they are invalidated they stay so, whatever the guest has mapped there since.
final class AbsentPages {
  /// The most pages at a time: a device may be made to probe any number. When it is full everything
  /// is forgotten, which a cache may do.
  static final int MAX_PAGES = 4096;

  private static final int PAGE_SHIFT = 12;

  private record Page(int domainId, long number) {}

  private final Set<Page> pages = ConcurrentHashMap.newKeySet();

  /// Counts invalidations; written under this, read without.
  private volatile long generation;

  /// To be taken before the first table is read; [#insert] wants it back.
  long ticket() {
    return generation;
  }

  /// Whether no page is known to map nothing.
  boolean isEmpty() {
    return pages.isEmpty();
  }

  boolean contains(int domainId, long iova) {
    return pages.contains(new Page(domainId, iova >>> PAGE_SHIFT));
  }

  /// Keeps that an address maps nothing, unless an invalidation has come since the ticket.
  synchronized void insert(int domainId, long iova, long ticket) {
    if (ticket != generation) {
      return;
    }
    if (pages.size() >= MAX_PAGES) {
      pages.clear();
    }
    pages.add(new Page(domainId, iova >>> PAGE_SHIFT));
  }

  synchronized void dropAll() {
    generation++;
    pages.clear();
  }

  synchronized void dropDomain(int domainId) {
    generation++;
    pages.removeIf(page -> page.domainId() == domainId);
  }

  /// Drops the pages of `[first, last]`, addresses of at most 48 bits.
  synchronized void dropRange(int domainId, long first, long last) {
    generation++;
    pages.removeIf(page ->
        page.domainId() == domainId
            && page.number() >= first >>> PAGE_SHIFT
            && page.number() <= last >>> PAGE_SHIFT);
  }
}
