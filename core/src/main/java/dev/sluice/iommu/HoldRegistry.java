package dev.sluice.iommu;

import java.util.ArrayList;
import java.util.List;

/// The live holds of one endpoint. Adding and removing take constant time; an invalidation looks at
/// each.
final class HoldRegistry {
  private final List<Hold> holds = new ArrayList<>();

  HoldRegistry() {}

  synchronized void add(Hold hold) {
    hold.index = holds.size();
    holds.add(hold);
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
  }

  /// Those that an invalidation has to wait for.
  synchronized List<Hold> concerned(Invalidation what, long generation) {
    List<Hold> found = new ArrayList<>();
    for (Hold hold : holds) {
      if (hold.predates(generation, what)) {
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
