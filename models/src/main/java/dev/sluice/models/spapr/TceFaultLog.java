package dev.sluice.models.spapr;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/// The newest refused accesses.
final class TceFaultLog {
  /// A device may be refused for ever; older faults than this many only count in the statistics.
  static final int LIMIT = 64;

  /// Guarded by this.
  private final Deque<TceFault> faults = new ArrayDeque<>(LIMIT);

  synchronized void add(TceFault fault) {
    if (faults.size() == LIMIT) {
      faults.removeFirst();
    }
    faults.addLast(fault);
  }

  /// Oldest first.
  synchronized List<TceFault> faults() {
    return List.copyOf(faults);
  }

  synchronized void clear() {
    faults.clear();
  }
}
