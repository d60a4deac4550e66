package dev.sluice.iommu;

import dev.sluice.iommu.PageLeases.Table;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// The leases of one endpoint that somebody wants back, each with the deadline at which it is
/// revoked.
///
/// However often a lease is wanted, one deadline of it is pending, the earliest.
final class LeaseDeadlines {
  private static final class Deadline {
    final Table table;
    final int cell;
    final long word;
    long time;
    Runnable cancel = () -> {};

    Deadline(Table table, int cell, long word, long time) {
      this.table = table;
      this.cell = cell;
      this.word = word;
      this.time = time;
    }

    boolean isOf(Table ofTable, int ofCell, long ofWord) {
      return table == ofTable && cell == ofCell && word == ofWord;
    }

    boolean isOver() {
      return table.word(cell) != word;
    }
  }

  private final Endpoint endpoint;

  /// Guarded by this.
  private final List<Deadline> pending = new ArrayList<>(0);

  LeaseDeadlines(Endpoint endpoint) {
    this.endpoint = endpoint;
  }

  /// Revokes a live lease when the endpoint's patience is over, unless it has ended by then.
  void expire(PageLeases leases, Table table, int cell, long word) {
    Duration patience = endpoint.revocation().patience();
    if (patience == null) {
      return;
    }
    if (patience.isZero()) {
      revoke(leases, table, cell, word, true);
      return;
    }
    synchronized (this) {
      pending.removeIf(deadline -> {
        boolean over = deadline.isOver();
        if (over) {
          deadline.cancel.run();
        }
        return over;
      });
      long time = endpoint.clock().nanoTime() + patience.toNanos();
      Deadline deadline = new Deadline(table, cell, word, time);
      for (Deadline other : pending) {
        if (other.isOf(table, cell, word)) {
          if (other.time - time <= 0) {
            return;
          }
          other.cancel.run();
          pending.remove(other);
          break;
        }
      }
      deadline.cancel =
          endpoint.clock().schedule(patience, () -> revoke(leases, table, cell, word, true));
      pending.add(deadline);
    }
  }

  /// Takes a lease away from its owner and tells who waits for it.
  ///
  /// @param late whether it counts as a deadline that has passed
  void revoke(PageLeases leases, Table table, int cell, long word, boolean late) {
    if (table.revoke(cell, word)) {
      if (late) {
        endpoint.countRevocation();
      }
      leases.section().waits().wake();
    }
  }
}
