package dev.sluice.models.spapr;

import java.util.List;

/// A PCI host bridge whose functions share one set of DMA windows: what LoPAR isolates from others
/// and calls a partitionable endpoint (PE).
public final class PartitionableEndpoint {
  /// Windows at a time, the default one included.
  static final int MAX_WINDOWS = 2;

  /// Where the default window begins.
  static final long DEFAULT_BASE = 0;

  /// Where a dynamic window begins while there is another.
  static final long DYNAMIC_BASE = 1L << 59;

  /// Log2 of the bytes of the largest window: what fits below [#DYNAMIC_BASE] as well as from it
  /// on.
  static final int MAX_WINDOW_SHIFT = 59;

  private static final long FIRST_UNIT_ID = 0x0800_0000_2000_0000L;
  private static final long FIRST_LIOBN = 0x8000_0000L;

  private final int index;
  private final DmaSpace space;

  /// A window, as the device tree describes it.
  ///
  /// @param liobn its logical I/O bus number, unsigned 32 bits
  /// @param base its first bus address
  /// @param bytes its size
  /// @param pageShift log2 of the bytes of its I/O pages
  /// @param isDefault whether it is the default window
  public record Window(long liobn, long base, long bytes, int pageShift, boolean isDefault) {}

  PartitionableEndpoint(int index, DmaSpace space) {
    this.index = index;
    this.space = space;
  }

  /// The bridge's unit id (BUID), which RTAS calls name.
  public long unitId() {
    return FIRST_UNIT_ID + index;
  }

  /// A LIOBN of the bridge.
  ///
  /// @param window 0, which is the default window's, or 1
  long liobn(int window) {
    return FIRST_LIOBN | (long) index << 8 | window;
  }

  /// Its windows now, the oldest first.
  public List<Window> windows() {
    return space.state().windows().stream().map(PartitionableEndpoint::describe).toList();
  }

  static Window describe(DmaWindow window) {
    return new Window(
        window.liobn(), window.base(), window.bytes(), window.pageShift(), window.isDefault());
  }

  DmaSpace space() {
    return space;
  }

  @Override
  public String toString() {
    return "host bridge 0x%x".formatted(unitId());
  }
}
