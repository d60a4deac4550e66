package dev.sluice.memory;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

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

  /// A hold of its own on some of the bytes.
  ///
  /// @return null when this one was the last and is closed
  public @Nullable RegionHold part(long offset, long length) {
    return region.holdWhileHeld() ? new RegionHold(region, bytes.asSlice(offset, length)) : null;
  }

  /// Loads 1, 2, 4 or 8 bytes; with acquire order when aligned in host memory.
  public long load(long offset, int length, ByteOrder order) {
    return Scalars.load(bytes, offset, length, order);
  }

  /// Stores the low 1, 2, 4 or 8 bytes of `value`; with release order when aligned in host memory.
  public void store(long offset, int length, ByteOrder order, long value) {
    Scalars.store(bytes, offset, length, order, value);
  }

  /// Sets bytes to `value`.
  public void fill(long offset, long length, byte value) {
    MemorySegment pattern = FillPattern.of(value);
    for (long done = 0; done < length; done += pattern.byteSize()) {
      long run = Math.min(length - done, pattern.byteSize());
      MemorySegment.copy(pattern, 0, bytes, offset + done, run);
    }
  }

  /// Lets the region go; a second call does nothing.
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      region.release();
    }
  }
}
