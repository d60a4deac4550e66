package dev.sluice.models.vtd;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/// The unit's paging-structure cache, VT-d specification 6.2.5: a [PdeCache] for each of up to
/// [#MAX_DOMAINS] domains. Entries are tagged with the domain id (6.2.1), so the tables of a domain
/// are the same for all its requesters, as 6.2.2.1 requires of the guest.
///
/// *Before the IOTLB*: whoever invalidates drops what is here first and has core count after it. A
/// walk that met a table here before it was dropped has read the count before that, so its page is
/// refused by the IOTLB, and its access waited for.
///
/// *A cache that an invalidation does not find* was put in its place after the invalidation had
/// looked there. Whoever walks by it read the place before the tables; the guest changed the tables
/// before it had them invalidated; and of the machines that this runs on, x86-64 and AArch64, both
/// show a store to all processors at once. So such a walk reads the tables as they are now. A full
/// fence keeps the two orders: before each drop that of what the thread did for the guest and its
/// look at the places, in [#of] that of the place and the tables.
final class PdeCaches {
  /// The most domains at a time, 4 KiB each: the guest picks the ids. Of two with the same low byte
  /// the one that came first has the place until a reset, and the other is walked for from the top;
  /// a guest numbers its domains in sequence, and has seldom more than this.
  static final int MAX_DOMAINS = 256;

  private static final VarHandle PLACES = MethodHandles.arrayElementVarHandle(PdeCache[].class);

  private final @Nullable PdeCache[] places = new PdeCache[MAX_DOMAINS];

  /// The cache of an address space, or null. Allocates nothing.
  ///
  /// @param tag the domain id; anything else has none
  @Nullable PdeCache find(long tag) {
    PdeCache found = at(place(tag));
    return found != null && found.domainId() == tag ? found : null;
  }

  /// The cache of a domain, which is made if its place is free; or null.
  @Nullable PdeCache of(int domainId) {
    int place = place(domainId);
    if (at(place) == null) {
      PLACES.compareAndSet(places, place, null, new PdeCache(domainId));
      VarHandle.fullFence();
    }
    return find(domainId);
  }

  private @Nullable PdeCache at(int place) {
    return (PdeCache) PLACES.getAcquire(places, place);
  }

  /// Drops every table.
  void dropAll() {
    VarHandle.fullFence();
    for (int place = 0; place < MAX_DOMAINS; place++) {
      PdeCache cache = at(place);
      if (cache != null) {
        cache.dropAll();
      }
    }
  }

  /// Drops every table, and leaves the places to other domains: for a reset.
  void forgetAll() {
    VarHandle.fullFence();
    // Who still walks by one of them leaves what it finds where nobody looks.
    for (int place = 0; place < MAX_DOMAINS; place++) {
      PLACES.setRelease(places, place, null);
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
    return (int) tag & (MAX_DOMAINS - 1);
  }
}
