package dev.sluice.iommu;

import java.util.ArrayList;
import java.util.List;

/// The live holds of one endpoint. Adding and removing take constant time; an invalidation looks at
/// each.
final class HoldRegistry {
  private final List<Hold> holds = new ArrayList<>();

  /// How many there are; written under this, read without.
  private volatile int size;

  HoldRegistry() {}

  synchronized void add(Hold hold) {
    hold.index = holds.size();
    holds.add(hold);
    size = holds.size();
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
    size = holds.size();
  }

  /// Whether there are none, without a lock: of those that were registered by sections that have
  /// ended, none is overlooked.
  boolean isEmpty() {
    return size == 0;
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

  int size() {
    return size;
  }

  synchronized List<Hold> all() {
    return List.copyOf(holds);
  }
}
