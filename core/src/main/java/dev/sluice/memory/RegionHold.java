package dev.sluice.memory;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/// Contiguous host memory of one region, kept mapped until [#close()].
///
/// The bytes outlive neither the hold nor, for an access that began before it, the peer: memory
/// whose file the peer truncates answers with [InternalError], which the holder has to expect.
public final class RegionHold implements AutoCloseable {
  private final RamRegion region;
  private final MemorySegment bytes;
  private final AtomicBoolean closed = new AtomicBoolean();

  RegionHold(RamRegion region, MemorySegment bytes) {
    this.region = region;
    this.bytes = bytes;
  }

  /// The region that is held.
  public RamRegion region() {
    return region;
  }

  /// The bytes. Only for code that stops using them before it closes the hold.
  public MemorySegment bytes() {
    return bytes;
  }

  /// Lets the region go; a second call does nothing.
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      region.release();
    }
  }
}
