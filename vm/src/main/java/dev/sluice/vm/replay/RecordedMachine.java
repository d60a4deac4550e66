package dev.sluice.vm.replay;

import dev.sluice.models.spapr.SpaprConfig;
import dev.sluice.vm.replay.SpaprEvent.Indirect;
import dev.sluice.vm.replay.SpaprEvent.Put;
import dev.sluice.vm.replay.SpaprEvent.Stuff;
import dev.sluice.vm.replay.SpaprEvent.WindowQuery;
import org.jspecify.annotations.Nullable;

/// How the machine of a recording was configured, as far as the recording tells: what QEMU's
/// properties `pgsz` and `dma_win_size` of a host bridge were. The replay's partition is made like
/// it.
final class RecordedMachine {
  /// QEMU's `dma_win_size`, unless told otherwise.
  private static final long DEFAULT_WINDOW = 1L << 30;

  /// A default window lies below.
  private static final long MAX_DEFAULT_WINDOW = 1L << 32;

  private static final long MAX_ENTRIES = 1L << 40;
  private static final int PAGE_SHIFT = 12;

  private @Nullable WindowQuery firstQuery;

  /// How far calls that were not refused have gone in default windows.
  private long reach = DEFAULT_WINDOW;

  /// Looks at an event.
  void note(SpaprEvent event) {
    switch (event) {
      case Put put -> reached(put.returned(), put.liobn(), put.ioba() + 1);
      case Stuff stuff -> reached(stuff.returned(), stuff.liobn(), stuff.end());
      case Indirect indirect ->
          reached(
              indirect.returned(),
              indirect.liobn(),
              indirect.ioba() + ((indirect.last() + 1) << PAGE_SHIFT));
      case WindowQuery query -> firstQuery = firstQuery == null ? query : firstQuery;
      default -> {
        // Nothing of the configuration.
      }
    }
  }

  /// @param end behind the last bus address
  private void reached(long returned, long liobn, long end) {
    if (returned == 0
        && RecordedLiobn.isDefaultWindow(liobn)
        && Long.compareUnsigned(end, MAX_DEFAULT_WINDOW) <= 0) {
      reach = Math.max(reach, end);
    }
  }

  /// The configuration. Without a query the model's own page sizes.
  SpaprConfig config() {
    SpaprConfig config =
        SpaprConfig.DEFAULT.withDefaultWindowBytes(
            reach == Long.highestOneBit(reach) ? reach : Long.highestOneBit(reach) << 1);
    WindowQuery query = firstQuery;
    if (query == null) {
      return config;
    }
    long largest = query.largest();
    return config
        .withIoPageSizes(query.pageSizes())
        .withLargestWindow(
            largest > 0 && largest <= MAX_ENTRIES ? largest : config.largestWindow());
  }
}
