package dev.sluice.iommu;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/// The live holds of one endpoint. Adding and removing take constant time; an invalidation looks at
/// each.
final class HoldRegistry {
  private final List<Hold> holds = new ArrayList<>();

  /// Of all registries that an invalidator looks at, so that it can tell that there are none.
  private final AtomicInteger total;

  HoldRegistry(AtomicInteger total) {
    this.total = total;
  }

  synchronized void add(Hold hold) {
    hold.index = holds.size();
    holds.add(hold);
    total.incrementAndGet();
  }

  synchronized void remove(Hold hold) {
    if (hold.index < 0) {
      return;
    }
    Hold moved = holds.removeLast();
    if (moved != hold) {
      holds.set(hold.index, moved);
      moved.index = hold.index;
    }
    hold.index = -1;
    total.decrementAndGet();
  }

  /// Whether any is meant.
  synchronized boolean hasAny(PageLeases.Query what) {
    for (Hold hold : holds) {
      if (hold.isMeant(what)) {
        return true;
      }
    }
    return false;
  }

  /// Those that are meant.
  synchronized List<Hold> concerned(PageLeases.Query what) {
    List<Hold> found = new ArrayList<>();
    for (Hold hold : holds) {
      if (hold.isMeant(what)) {
        found.add(hold);
      }
    }
    return found;
  }

  synchronized int size() {
    return holds.size();
  }

  synchronized List<Hold> all() {
    return List.copyOf(holds);
  }
}
