package dev.sluice.models.spapr;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/// How much of the hypervisor's memory the tables of a partition may take. A window may have
/// billions of entries; only the parts of its table that hold something exist, and the guest
/// decides how many those are. When it is used up, what holds nothing any more is collected.
final class TceBudget {
  private final int limit;
  private final AtomicInteger taken = new AtomicInteger();

  /// All in all. Counted after it is there to be taken.
  private final AtomicLong givenBack = new AtomicLong();

  /// Those that took something.
  private final Set<TcePages> takers = ConcurrentHashMap.newKeySet();

  /// A budget of which nothing is taken.
  ///
  /// @param limit in pages of 4 KiB, each of 512 entries
  TceBudget(int limit) {
    this.limit = limit;
  }

  /// Takes all of `pages`, or nothing.
  boolean take(int pages) {
    int before = taken.get();
    while (limit - before >= pages) {
      int witness = taken.compareAndExchange(before, before + pages);
      if (witness == before) {
        return true;
      }
      before = witness;
    }
    return false;
  }

  void giveBack(int pages) {
    taken.addAndGet(-pages);
    givenBack.addAndGet(pages);
  }

  /// How many pages have been given back so far. To be read before [#take]; [#collect] wants it.
  long givenBack() {
    return givenBack.get();
  }

  /// Somebody has taken something, after nothing.
  void add(TcePages taker) {
    takers.add(taker);
  }

  /// Somebody has given everything back.
  void remove(TcePages taker) {
    takers.remove(taker);
  }

  /// Has all give back what holds no entry. Looks at every page that is taken; without a lock.
  ///
  /// @param since from [#givenBack]
  /// @return whether anybody has given anything back since then: if not, asking again is vain
  boolean collect(long since) {
    takers.forEach(TcePages::giveBack);
    return givenBack.get() != since;
  }

  int limit() {
    return limit;
  }

  int taken() {
    return taken.get();
  }
}
