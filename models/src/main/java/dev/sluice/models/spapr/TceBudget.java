package dev.sluice.models.spapr;

import java.util.concurrent.atomic.AtomicInteger;

/// How much of the hypervisor's memory the tables of a partition may take. A window may have
/// billions of entries; only the parts of its table that hold something exist, and the guest
/// decides how many those are.
final class TceBudget {
  private final int limit;
  private final AtomicInteger taken = new AtomicInteger();

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
  }

  int limit() {
    return limit;
  }

  int taken() {
    return taken.get();
  }
}
