package dev.sluice.memory;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// An immutable picture of the guest-physical address space: regions sorted by address, none
/// overlapping.
///
/// A change makes a new map, so a reader takes no lock.
final class MemoryMap {
  static final MemoryMap EMPTY = new MemoryMap(new Placed[0]);

  /// A region at its place. Exactly one of `ram` and `port` is set; `window` goes with `ram`.
  ///
  /// @param first guest-physical address of the first byte
  /// @param last guest-physical address of the last byte, so that a region may end at 2^64
  record Placed(
      long first,
      long last,
      boolean writable,
      @Nullable RamRegion ram,
      @Nullable RamWindow window,
      @Nullable MessagePort port) {
    static Placed of(RamRegion ram, long first, long last) {
      return new Placed(first, last, ram.writable(), ram, RamWindow.of(ram, first), null);
    }

    static Placed of(MessagePort port, long first, long last, boolean writable) {
      return new Placed(first, last, writable, null, null, port);
    }

    /// The region has its number, if it gets one.
    void numbered() {
      if (window != null) {
        window.numbered();
      }
    }

    /// It has left the map.
    void close() {
      if (window != null) {
        window.close();
      }
    }

    boolean isWithin(long from, long to) {
      return Long.compareUnsigned(from, first) <= 0 && Long.compareUnsigned(last, to) <= 0;
    }

    /// Whether the calling thread may wait for the region's answer, if it takes one.
    boolean mayWait() {
      return port == null || port.mayWait();
    }

    /// Bytes from `address` to the region's end, at most `limit`.
    long run(long address, long limit) {
      long toLast = last - address;
      return Long.compareUnsigned(toLast, limit) >= 0 ? limit : toLast + 1;
    }
  }

  private final Placed[] sorted;

  private MemoryMap(Placed[] sorted) {
    this.sorted = sorted;
  }

  int size() {
    return sorted.length;
  }

  @Nullable Placed find(long address) {
    int low = 0;
    int high = sorted.length - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      Placed placed = sorted[middle];
      if (Long.compareUnsigned(address, placed.first) < 0) {
        high = middle - 1;
      } else if (Long.compareUnsigned(address, placed.last) > 0) {
        low = middle + 1;
      } else {
        return placed;
      }
    }
    return null;
  }

  /// The address of a byte of the region with this number, or [GuestMemory#NO_ADDRESS].
  long addressOf(int number, long offset) {
    for (Placed placed : sorted) {
      RamRegion ram = placed.ram();
      if (ram != null && ram.number() == number) {
        return placed.first + offset;
      }
    }
    return GuestMemory.NO_ADDRESS;
  }

  boolean overlaps(long first, long last) {
    for (Placed placed : sorted) {
      if (Long.compareUnsigned(placed.first, last) <= 0
          && Long.compareUnsigned(first, placed.last) <= 0) {
        return true;
      }
    }
    return false;
  }

  MemoryMap with(Placed added) {
    List<Placed> all = new ArrayList<>(List.of(sorted));
    all.add(added);
    all.sort((a, b) -> Long.compareUnsigned(a.first, b.first));
    return new MemoryMap(all.toArray(Placed[]::new));
  }

  /// The regions that lie wholly in `[first, last]`.
  List<Placed> within(long first, long last) {
    return Arrays.stream(sorted).filter(placed -> placed.isWithin(first, last)).toList();
  }

  /// Without the regions that lie wholly in `[first, last]`.
  MemoryMap without(long first, long last) {
    return new MemoryMap(
        Arrays.stream(sorted)
            .filter(placed -> !placed.isWithin(first, last))
            .toArray(Placed[]::new));
  }
}
