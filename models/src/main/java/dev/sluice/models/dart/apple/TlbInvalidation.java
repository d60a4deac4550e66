package dev.sluice.models.dart.apple;

import dev.sluice.iommu.Invalidation;
import dev.sluice.iommu.Invalidator;
import dev.sluice.models.dart.Outstanding;
import dev.sluice.models.registers.ModelLock;
import java.util.BitSet;

/// Invalidation by stream, behind one busy bit.
///
/// Busy is set until no access of the streams from before can touch memory any more, translated or
/// bypassed. A command that comes meanwhile begins at once and keeps it set: Linux gives up on the
/// bit after 100 µs, says so, and goes on to its next command.
final class TlbInvalidation {
  private final Invalidator invalidator;
  private final AppleDartCounters counters;
  private final int streams;
  private final Outstanding<BitSet> outstanding;

  /// @param ended with the lock held, whenever one is complete: [#isBusy] may have changed
  TlbInvalidation(
      ModelLock lock,
      Invalidator invalidator,
      AppleDartCounters counters,
      int streams,
      Runnable ended) {
    this.invalidator = invalidator;
    this.counters = counters;
    this.streams = streams;
    outstanding = new Outstanding<>(lock, this::invalidate, TlbInvalidation::union, ended);
  }

  /// Has what the TLB holds of some streams forgotten. With the lock held.
  void request(BitSet which) {
    outstanding.add(which);
  }

  /// Has what the TLB holds forgotten. With the lock held.
  void requestAll() {
    BitSet all = new BitSet(streams);
    all.set(0, streams);
    outstanding.add(all);
  }

  /// Whether something is not complete. With the lock held.
  boolean isBusy() {
    return !outstanding.isQuiet();
  }

  /// With the lock held.
  void reset() {
    outstanding.reset();
  }

  private static BitSet union(BitSet one, BitSet other) {
    BitSet both = new BitSet();
    both.or(one);
    both.or(other);
    return both;
  }

  private void invalidate(BitSet which, Runnable completed) {
    counters.invalidated();
    if (which.cardinality() == streams) {
      invalidator.invalidate(Invalidation.ofTranslations(), completed);
      return;
    }
    invalidator.invalidate(which.stream().mapToObj(TlbInvalidation::of).toList(), completed);
  }

  /// Both address spaces of a stream.
  private static Invalidation of(int stream) {
    return Invalidation.ofRange(DmaTranslation.STREAM, stream, 0, -1);
  }
}
