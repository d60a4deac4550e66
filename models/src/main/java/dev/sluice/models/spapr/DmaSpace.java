package dev.sluice.models.spapr;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// What one partitionable endpoint, or one VIO device, can reach by DMA: a space of 64-bit bus
/// addresses with windows in it.
///
/// It is the address space of the IOTLB too: windows do not overlap, so that one tag for all of
/// them tells every invalidation apart, and a device that uses two windows needs only one cache.
final class DmaSpace {
  /// What is in the space at a moment.
  ///
  /// @param windows which do not overlap
  /// @param bypass whether bus addresses are guest-physical ones, whatever the windows say
  record State(List<DmaWindow> windows, boolean bypass) {
    State {
      windows = List.copyOf(windows);
    }

    /// The window that a bus address lies in.
    @Nullable DmaWindow find(long ioba) {
      for (int i = 0; i < windows.size(); i++) {
        DmaWindow window = windows.get(i);
        if (window.contains(ioba)) {
          return window;
        }
      }
      return null;
    }

    /// Whether a range is free of windows.
    boolean isFree(long base, long bytes) {
      return windows.stream()
          .allMatch(window ->
              Long.compareUnsigned(base + bytes - 1, window.base()) < 0
                  || Long.compareUnsigned(window.base() + window.bytes() - 1, base) < 0);
    }
  }

  private final long tag;
  private final AtomicInteger drains = new AtomicInteger();
  private volatile State state = new State(List.of(), false);

  DmaSpace(long tag) {
    this.tag = tag;
  }

  /// The IOTLB's tag.
  long tag() {
    return tag;
  }

  State state() {
    return state;
  }

  /// Changes what new accesses find. Those under way are the caller's to drain.
  void state(State next) {
    state = next;
  }

  // --- drains under way

  /// A change is about to take something away that may be in use. To be said before it does so: who
  /// finds the change then also finds that its drain is not over. (A second processor that clears
  /// an entry which the first has just cleared must not be told "done" before the first.)
  void drainBegins() {
    drains.incrementAndGet();
  }

  /// What was taken away can touch memory no more, or was not in use.
  void drainEnds() {
    drains.decrementAndGet();
  }

  /// How many drains are under way, or may come of changes that are.
  int drains() {
    return drains.get();
  }
}
