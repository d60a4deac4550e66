package dev.sluice.vm.replay;

import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.GuestMemory;
import dev.sluice.models.spapr.PartitionableEndpoint;
import dev.sluice.models.spapr.PartitionableEndpoint.Window;
import dev.sluice.models.spapr.SpaprIommu;
import dev.sluice.models.spapr.VioDevice;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The bridges and VIO devices of a replay's partition: those whose tables the recording names,
/// each with a requester.
final class Spaces {
  /// Bridges and devices that a recording may have: as many as there can be requesters' caches.
  private static final int MAX = 256;

  /// QEMU's `rtce_window_size` of the devices that have one.
  private static final long VIO_WINDOW = 256L << 20;

  private final SpaprIommu iommu;
  private final GuestMemory memory;
  private final QuickWalks quickWalks;

  /// By the LIOBN of the default window.
  private final Map<Long, Space> spaces = new HashMap<>();

  /// Whose windows these are, a requester there, and its twin for [QuickWalks].
  record Space(Supplier<List<Window>> windows, Endpoint device, Endpoint twin) {}

  Spaces(SpaprIommu iommu, GuestMemory memory, QuickWalks quickWalks) {
    this.iommu = iommu;
    this.memory = memory;
    this.quickWalks = quickWalks;
  }

  /// Adds the bridge or the device that a default window belongs to.
  ///
  /// @throws IllegalArgumentException when there can be none such
  void add(long liobn) {
    if (spaces.size() == MAX) {
      throw new IllegalArgumentException("more than %d bridges and devices".formatted(MAX));
    }
    RequesterId requester = new RequesterId(spaces.size());
    Supplier<List<Window>> windows;
    if (RecordedLiobn.isOfBridge(liobn)) {
      long index = RecordedLiobn.bridge(liobn);
      if (index >= SpaprIommu.MAX_HOST_BRIDGES) {
        throw new IllegalArgumentException("no host bridge has the LIOBN 0x%x".formatted(liobn));
      }
      PartitionableEndpoint bridge = iommu.addHostBridge((int) index);
      iommu.attach(requester, bridge);
      windows = bridge::windows;
    } else {
      VioDevice device = iommu.addVioDevice(liobn, VIO_WINDOW);
      iommu.attach(requester, device);
      windows = () -> List.of(device.window());
    }
    Endpoint endpoint = iommu.invalidator().attach(requester, memory);
    spaces.put(liobn, new Space(windows, endpoint, quickWalks.attach(requester)));
  }

  /// Where the window of a LIOBN is, or would be; or null.
  @Nullable Space of(long liobn) {
    return spaces.get(RecordedLiobn.space(liobn));
  }

  /// The window of a LIOBN now, or null.
  @Nullable Window window(long liobn) {
    Space space = of(liobn);
    return space == null
        ? null
        : space.windows().get().stream()
            .filter(window -> window.liobn() == liobn)
            .findFirst()
            .orElse(null);
  }

  /// The windows of a bridge now.
  List<Window> windows(long unitId) {
    return spaces.entrySet().stream()
        .filter(space -> RecordedLiobn.isOfBridge(space.getKey()))
        .filter(space -> RecordedLiobn.unitId(space.getKey()) == unitId)
        .flatMap(space -> space.getValue().windows().get().stream())
        .toList();
  }

  /// The windows of all VIO devices.
  List<Window> vioWindows() {
    return spaces.entrySet().stream()
        .filter(space -> !RecordedLiobn.isOfBridge(space.getKey()))
        .flatMap(space -> space.getValue().windows().get().stream())
        .toList();
  }
}
