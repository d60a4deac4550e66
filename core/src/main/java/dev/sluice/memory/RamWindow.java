package dev.sluice.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/// A region of RAM at its guest-physical place, for who loads one word after the other from it: a
/// walk of page tables, which mostly lie in one region.
///
/// [GuestMemory#window] finds it; it is the region's own, so nothing is allocated. It is good for
/// as long as it takes to walk, and not to be kept: a region that leaves the map is not noticed
/// here until it is unmapped.
public final class RamWindow {
  /// What [#load] answers when the word cannot be had: all ones, as from a bus on which nobody
  /// answers. A word may be just that: [GuestMemory#load] tells the two apart.
  public static final long ALL_ONES = -1;

  private static final ValueLayout.OfLong LITTLE_ENDIAN_LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final long first;
  private final RamRegion region;
  private final MemorySegment segment;

  /// The RAM address of the first byte, and how many bytes from it on begin a page that has one.
  /// Written once, before the window can be found.
  private long ram;

  private long pages;

  /// Whether the region is in the map.
  private volatile boolean placed = true;

  /// @param region has a word at least
  RamWindow(long first, RamRegion region) {
    this.first = first;
    this.region = region;
    segment = region.segment();
  }

  /// The window of a region at a place; null when it is too small for a word.
  static @Nullable RamWindow of(RamRegion region, long first) {
    return region.size() < Long.BYTES ? null : new RamWindow(first, region);
  }

  /// The region has its number, if it gets one.
  void numbered() {
    if (GuestMemory.hasRamAddress(region, 0, GuestMemory.PAGE)) {
      ram = Ram.address(region.number(), 0);
      pages =
          Math.max(
              0, Math.min(segment.byteSize(), Ram.REACH - GuestMemory.PAGE) - GuestMemory.PAGE + 1);
    }
  }

  /// Whether the region is still there.
  public boolean isPlaced() {
    return placed;
  }

  /// The region has left the map.
  void close() {
    placed = false;
  }

  /// Whether the 8 bytes from `address` on lie in it.
  public boolean holds(long address) {
    // As the segment's own check, so that the compiler makes one of the two.
    return Long.compareUnsigned(address - first, segment.byteSize() - Long.BYTES + 1) < 0;
  }

  /// Loads the little-endian 8 bytes from an address on that it [#holds].
  ///
  /// Aligned in host memory, it is a single access. Loads whose address comes out of the load
  /// before happen in that order; nothing else is ordered: a fence after the last one is the
  /// caller's.
  ///
  /// @return [#ALL_ONES] when the region was removed, or its file was cut short
  /// @throws IndexOutOfBoundsException when it does not hold them
  public long load(long address) {
    try {
      return segment.get(LITTLE_ENDIAN_LONG, address - first);
    } catch (IllegalStateException | InternalError e) {
      return failed(e);
    }
  }

  private long failed(Throwable e) {
    GuestMemory.failed(region, e);
    return ALL_ONES;
  }

  /// The RAM address of the 4 KiB from `address` on.
  ///
  /// @param write whether the bytes are to be written
  /// @return [Ram#NOWHERE] unless all of it lies in here, may be written if it is to be, and the
  ///   region has a number
  public long ramAddress(long address, boolean write) {
    long offset = address - first;
    return Long.compareUnsigned(offset, pages) < 0 && (!write || region.writable())
        ? ram + offset
        : Ram.NOWHERE;
  }
}
