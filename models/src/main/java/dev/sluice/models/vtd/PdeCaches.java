package dev.sluice.models.vtd;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/// The unit's paging-structure cache, VT-d specification 6.2.5: a [PdeCache] for each of up to
/// [#DOMAINS] domains. Entries are tagged with the domain id (6.2.1), so the tables of a domain are
/// the same for all its requesters, as 6.2.2.1 requires of the guest.
///
/// *Before the IOTLB*: whoever invalidates drops what is here first and has core count after it. A
/// walk that met a table here before it was dropped has read the count before that, so its page is
/// refused by the IOTLB, and its access waited for.
final class PdeCaches {
  /// The most domains at a time, 4 KiB each: the guest picks the ids. Two with the same low byte
  /// take the place from each other; a guest numbers its domains in sequence.
  static final int DOMAINS = 256;

  private static final VarHandle PLACES = MethodHandles.arrayElementVarHandle(PdeCache[].class);

  private final @Nullable PdeCache[] places = new PdeCache[DOMAINS];

  /// The cache of an address space, or null.
  ///
  /// @param tag the domain id; anything else has none
  @Nullable PdeCache find(long tag) {
    PdeCache found = (PdeCache) PLACES.getAcquire(places, place(tag));
    return found != null && found.domainId() == tag ? found : null;
  }

  /// The cache of a domain; makes it if there is none.
  PdeCache of(int domainId) {
    int place = place(domainId);
    PdeCache found = (PdeCache) PLACES.getAcquire(places, place);
    if (found != null && found.domainId() == domainId) {
      return found;
    }
    PdeCache made = new PdeCache(domainId);
    // If another thread was faster, nobody but this walk will ever use this one.
    PLACES.compareAndSet(places, place, found, made);
    // Before the walk reads a table: pairs with the fence of an invalidation that does not find it.
    VarHandle.fullFence();
    return made;
  }

  /// Drops every table.
  void dropAll() {
    VarHandle.fullFence();
    for (int place = 0; place < DOMAINS; place++) {
      PdeCache cache = (PdeCache) PLACES.getAcquire(places, place);
      if (cache != null) {
        cache.dropAll();
      }
    }
  }

  /// Drops a domain's tables.
  void dropDomain(int domainId) {
    VarHandle.fullFence();
    PdeCache cache = find(domainId);
    if (cache != null) {
      cache.dropAll();
    }
  }

  /// Drops a domain's tables for any address of `[first, last]`, addresses of at most 48 bits.
  void dropRange(int domainId, long first, long last) {
    VarHandle.fullFence();
    PdeCache cache = find(domainId);
    if (cache != null) {
      cache.dropRange(first, last);
    }
  }

  private static int place(long tag) {
    return (int) tag & (DOMAINS - 1);
  }
}
