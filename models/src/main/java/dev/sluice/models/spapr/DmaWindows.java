package dev.sluice.models.spapr;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Which windows there are: LoPAR, "DMA Window Manipulation Calls". Changes are made one at a time,
/// under this object's lock; hypercalls and translations read what it publishes.
///
/// Nothing is drained here: a change that takes something away says what, has announced the drain
/// to the space, and leaves it to the caller, who holds no lock.
final class DmaWindows {
  /// What has been taken away.
  ///
  /// @param space where; its drain has been announced
  /// @param first first bus address, unsigned
  /// @param last last bus address, inclusive
  record Removal(DmaSpace space, long first, long last) {
    /// Everything in a space.
    static Removal all(DmaSpace space) {
      return new Removal(space, 0, -1);
    }
  }

  private final SpaprConfig config;
  private final TceBudget budget;
  private final TceHypercalls hypercalls;

  /// By unit id. Guarded by this, like what follows.
  private final Map<Long, PartitionableEndpoint> bridges = new HashMap<>();

  /// By unit address.
  private final Map<Long, VioDevice> devices = new HashMap<>();

  private long nextTag;
  private boolean closed;

  DmaWindows(SpaprConfig config, TceBudget budget, TceHypercalls hypercalls) {
    this.config = config;
    this.budget = budget;
    this.hypercalls = hypercalls;
  }

  // --- the machine's side

  synchronized PartitionableEndpoint addHostBridge(int index) {
    mustBeOpen();
    PartitionableEndpoint bridge = new PartitionableEndpoint(index, new DmaSpace(nextTag));
    if (bridges.putIfAbsent(bridge.unitId(), bridge) != null) {
      throw new IllegalArgumentException("there is a host bridge %d already".formatted(index));
    }
    nextTag++;
    addDefault(bridge);
    return bridge;
  }

  synchronized VioDevice addVioDevice(long unitAddress, long windowBytes) {
    mustBeOpen();
    VioDevice device = new VioDevice(unitAddress, windowBytes, new DmaSpace(nextTag));
    if (devices.putIfAbsent(unitAddress, device) != null) {
      throw new IllegalArgumentException(
          "there is a VIO device 0x%x already".formatted(unitAddress));
    }
    nextTag++;
    addDefault(device);
    return device;
  }

  /// Everything as after a reboot of the partition.
  synchronized List<Removal> reset() {
    List<Removal> removals = new ArrayList<>();
    bridges.values().forEach(bridge -> removals.add(reset(bridge)));
    for (VioDevice device : devices.values()) {
      removals.add(clear(device.space()));
      addDefault(device);
    }
    return removals;
  }

  /// No windows any more, for ever.
  synchronized List<Removal> close() {
    List<Removal> removals = new ArrayList<>();
    bridges.values().forEach(bridge -> removals.add(clear(bridge.space())));
    devices.values().forEach(device -> removals.add(clear(device.space())));
    bridges.clear();
    devices.clear();
    closed = true;
    return removals;
  }

  private void mustBeOpen() {
    if (closed) {
      throw new IllegalStateException("the partition is shut down");
    }
  }

  // --- the guest's side

  /// The bridge of a unit id, if its windows may be changed.
  synchronized @Nullable PartitionableEndpoint dynamic(long unitId) {
    return config.ioPageShifts().isEmpty() ? null : bridges.get(unitId);
  }

  /// Windows that can be created now.
  int available(PartitionableEndpoint bridge) {
    return PartitionableEndpoint.MAX_WINDOWS - bridge.space().state().windows().size();
  }

  /// Creates a window. It gets the lowest LIOBN of its bridge that is free, as in QEMU: the default
  /// window's, when that one has been removed.
  ///
  /// @param pageShift log2 of the bytes of a page, any value
  /// @param windowShift log2 of the bytes of the window, any value
  /// @return null when there can be none such
  synchronized @Nullable DmaWindow create(
      PartitionableEndpoint bridge, int pageShift, int windowShift) {
    if (closed
        || available(bridge) == 0
        || !config.ioPageShifts().contains(pageShift)
        || windowShift < pageShift
        || windowShift > PartitionableEndpoint.MAX_WINDOW_SHIFT
        || 1L << (windowShift - pageShift) > config.largestWindow()) {
      return null;
    }
    DmaSpace space = bridge.space();
    long bytes = 1L << windowShift;
    boolean high =
        !space.state().windows().isEmpty()
            && space.state().isFree(PartitionableEndpoint.DYNAMIC_BASE, bytes);
    long base = high ? PartitionableEndpoint.DYNAMIC_BASE : PartitionableEndpoint.DEFAULT_BASE;
    if (!space.state().isFree(base, bytes)) {
      return null;
    }
    int number = 0;
    while (hypercalls.liobns().find(bridge.liobn(number)) != null) {
      number++;
    }
    return add(space, bridge.liobn(number), base, pageShift, bytes, false);
  }

  /// Removes the window of a LIOBN, and restores the default one if that is due.
  ///
  /// @return null when there is no such window, or it may not be removed
  synchronized @Nullable Removal remove(long liobn) {
    DmaWindow window = hypercalls.liobns().find(liobn);
    if (window == null || config.ioPageShifts().isEmpty()) {
      return null;
    }
    for (PartitionableEndpoint bridge : bridges.values()) {
      if (bridge.space() == window.space()) {
        window.space().drainBegins();
        remove(window);
        if (!window.isDefault() && bridge.space().state().windows().isEmpty()) {
          addDefault(bridge);
        }
        return new Removal(window.space(), window.base(), window.base() + window.bytes() - 1);
      }
    }
    return null;
  }

  /// Leaves a bridge with the default window, empty.
  synchronized Removal reset(PartitionableEndpoint bridge) {
    Removal removal = clear(bridge.space());
    addDefault(bridge);
    return removal;
  }

  /// Switches a VIO device's translation.
  ///
  /// @return null when there is no such device
  synchronized @Nullable Removal bypass(long unitAddress, boolean on) {
    VioDevice device = devices.get(unitAddress);
    if (device == null) {
      return null;
    }
    DmaSpace space = device.space();
    space.drainBegins();
    space.state(new DmaSpace.State(space.state().windows(), on));
    return Removal.all(space);
  }

  // --- windows

  private void addDefault(PartitionableEndpoint bridge) {
    add(
        bridge.space(),
        bridge.liobn(0),
        PartitionableEndpoint.DEFAULT_BASE,
        Tce.MIN_PAGE_SHIFT,
        config.defaultWindowBytes(),
        true);
  }

  private void addDefault(VioDevice device) {
    add(device.space(), device.unitAddress(), 0, Tce.MIN_PAGE_SHIFT, device.windowBytes(), true);
  }

  private DmaWindow add(
      DmaSpace space, long liobn, long base, int pageShift, long bytes, boolean isDefault) {
    DmaWindow window =
        new DmaWindow(
            liobn, base, pageShift, isDefault, new TceTable(bytes >>> pageShift, budget), space);
    List<DmaWindow> windows = new ArrayList<>(space.state().windows());
    windows.add(window);
    space.state(new DmaSpace.State(windows, space.state().bypass()));
    hypercalls.liobns(hypercalls.liobns().with(window));
    return window;
  }

  private void remove(DmaWindow window) {
    DmaSpace space = window.space();
    hypercalls.liobns(hypercalls.liobns().without(window));
    List<DmaWindow> windows = new ArrayList<>(space.state().windows());
    windows.remove(window);
    space.state(new DmaSpace.State(windows, space.state().bypass()));
    window.table().close();
  }

  private Removal clear(DmaSpace space) {
    space.drainBegins();
    space.state().windows().forEach(this::remove);
    space.state(new DmaSpace.State(List.of(), false));
    return Removal.all(space);
  }
}
