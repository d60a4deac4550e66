package dev.sluice.iommu;

import dev.sluice.iommu.PageLeases.Table;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/// A device's long-lived use of one translated page, reusable: what an invalidation of the page
/// waits for beyond the access sections that are open.
///
/// A use that writes is an access section that first asks [#isLive()]; a use that reads asks after
/// it has read, too. When the lease is given back or revoked, an invalidation that waited goes on,
/// and waits for the sections that are open then.
///
/// Taken by one thread at a time, and only while nobody uses it.
public final class PageLease {
  private @Nullable PageLeases leases;
  private @Nullable Table table;
  private int cell;

  /// 0 when not taken or given back.
  private long word;

  /// A lease on nothing.
  public PageLease() {}

  void taken(PageLeases by, Table in, int at, long as) {
    // A store of a reference costs a barrier of the collector's, and they are mostly the same.
    if (leases != by) {
      leases = by;
    }
    if (table != in) {
      table = in;
    }
    cell = at;
    word = as;
  }

  /// Whether it was taken and not given back.
  public boolean isTaken() {
    return word != 0;
  }

  /// Whether the page may be used. To be asked within an access section before each use that
  /// writes, and after each that reads.
  public boolean isLive() {
    VarHandle.loadLoadFence();
    Table in = table;
    long as = word;
    return as != 0 && in != null && in.word(cell) == as;
  }

  /// The count at the start of the section that took it.
  public long count() {
    Table in = table;
    return in == null ? 0 : in.count(cell);
  }

  /// Gives it back; a second call does nothing.
  public void close() {
    long as = word;
    PageLeases to = leases;
    Table in = table;
    if (as != 0 && to != null && in != null) {
      word = 0;
      to.giveBack(in, cell, as);
    }
  }
}
