package dev.sluice.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;

/// Page-aligned native memory of this process that no guest can reach, with the loads and stores of
/// guest memory. Any thread may use it; whoever closes it knows that nobody does any more.
public final class HostBuffer implements AutoCloseable {
  private final Arena arena;
  private final MemorySegment bytes;

  private HostBuffer(Arena arena, long size) {
    this.arena = arena;
    bytes = arena.allocate(size, GuestMemory.PAGE);
  }

  /// Zeroed memory of `size` bytes, 1 or more.
  ///
  /// @throws OutOfMemoryError when the host has no more
  @SuppressWarnings("MustBeClosed") // The buffer closes the arena.
  public static HostBuffer allocate(long size) {
    if (size <= 0) {
      throw new IllegalArgumentException("a buffer has 1 byte or more, not " + size);
    }
    return new HostBuffer(Arena.ofShared(), size);
  }

  /// Size in bytes.
  public long size() {
    return bytes.byteSize();
  }

  /// The bytes.
  public MemorySegment bytes() {
    return bytes;
  }

  /// Loads 1, 2, 4 or 8 bytes; with acquire order when aligned in host memory.
  public long load(long offset, int length, ByteOrder order) {
    return Scalars.load(bytes, offset, length, order);
  }

  /// Stores the low 1, 2, 4 or 8 bytes of `value`; with release order when aligned in host memory.
  public void store(long offset, int length, ByteOrder order, long value) {
    Scalars.store(bytes, offset, length, order, value);
  }

  /// Gives the memory back to the host. To be called once.
  @Override
  public void close() {
    arena.close();
  }
}
