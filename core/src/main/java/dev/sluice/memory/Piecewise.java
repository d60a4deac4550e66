package dev.sluice.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;

/// Loads and stores that cross from one region into the next, or that lie in message-only memory:
/// copies through a small buffer. Off the hot path, so it may allocate.
final class Piecewise {
  private Piecewise() {}

  static MemoryStatus load(
      GuestMemory memory, long address, int bytes, ByteOrder order, Word into) {
    MemorySegment buffer = buffer();
    long moved = memory.read(address, buffer, 0, bytes);
    if (moved < bytes) {
      return explain(memory, address, moved, Access.READ);
    }
    into.set(Scalars.load(buffer, 0, bytes, order));
    return MemoryStatus.OK;
  }

  static MemoryStatus store(
      GuestMemory memory, long address, int bytes, ByteOrder order, long value) {
    // All or nothing, as far as the map tells: a store does not say how far it got.
    long possible = memory.reach(address, bytes, Access.WRITE);
    if (possible < bytes) {
      return explain(memory, address, possible, Access.WRITE);
    }
    MemorySegment buffer = buffer();
    Scalars.store(buffer, 0, bytes, order, value);
    long moved = memory.write(address, buffer, 0, bytes);
    return moved < bytes ? explain(memory, address, moved, Access.WRITE) : MemoryStatus.OK;
  }

  /// A message port may fill the buffer on another thread, so it is not confined to this one.
  private static MemorySegment buffer() {
    return Arena.ofAuto().allocate(Long.BYTES, Long.BYTES);
  }

  private static MemoryStatus explain(GuestMemory memory, long address, long moved, Access access) {
    long stopped = address + moved;
    if (Long.compareUnsigned(stopped, address) < 0) {
      return MemoryStatus.HOLE;
    }
    MemoryStatus why = memory.statusAt(stopped, access);
    return why == MemoryStatus.OK ? MemoryStatus.FAILED : why;
  }
}
