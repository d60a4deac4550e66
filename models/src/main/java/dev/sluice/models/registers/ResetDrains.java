package dev.sluice.models.registers;

import dev.sluice.iommu.Invalidation;
import dev.sluice.iommu.Invalidator;
import java.util.ArrayList;
import java.util.List;

/// The resets of a model that are not drained yet: who asks for one is told when nothing that began
/// before it can touch memory any more.
///
/// Each empties the IOTLB and begins to drain at once, whatever else is under way. Beyond
/// [#MAX_UNDER_WAY] they are drained together, when one of those is over: whoever resets again and
/// again while a device holds a mapping piles up nothing but the `Runnable`s that he brings.
public final class ResetDrains {
  /// How many are under way at a time. A machine waits for one reset before it asks for the next,
  /// unless it gives up on one: a second and a third then wait for nothing younger than themselves.
  public static final int MAX_UNDER_WAY = 4;

  private final Invalidator invalidator;

  /// Guarded by this, like what follows.
  private int underWay;

  /// Not begun, with all of [#MAX_UNDER_WAY] under way.
  private List<Runnable> waiting = new ArrayList<>();

  /// @param invalidator the model's
  public ResetDrains(Invalidator invalidator) {
    this.invalidator = invalidator;
  }

  /// Empties the IOTLB and takes every binding. Without a lock.
  ///
  /// @param drained runs once, on this thread before the call returns when nothing was in flight,
  ///   else on the thread that ends the last access
  public void begin(Runnable drained) {
    boolean room;
    synchronized (this) {
      room = underWay < MAX_UNDER_WAY;
      if (room) {
        underWay++;
      } else {
        waiting.add(drained);
      }
    }
    if (room) {
      drain(List.of(drained));
    } else {
      invalidator.forget(Invalidation.all());
    }
  }

  private void drain(List<Runnable> told) {
    invalidator.invalidate(Invalidation.all(), () -> ended(told));
  }

  private void ended(List<Runnable> told) {
    List<Runnable> next;
    synchronized (this) {
      next = waiting;
      waiting = new ArrayList<>();
      if (next.isEmpty()) {
        underWay--;
      }
    }
    try {
      ModelLock.runAll(told);
    } finally {
      if (!next.isEmpty()) {
        drain(next);
      }
    }
  }
}
