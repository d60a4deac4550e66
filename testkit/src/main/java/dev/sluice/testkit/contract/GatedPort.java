package dev.sluice.testkit.contract;

import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.MessagePort;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// Memory that is reached by messages, the next of which may be stopped.
final class GatedPort implements MessagePort {
  private final long base;
  private final MemorySegment bytes;
  private final AtomicReference<@Nullable Gate> next = new AtomicReference<>();

  GatedPort(long base, int size) {
    this.base = base;
    bytes = MemorySegment.ofArray(new byte[size]);
  }

  /// Stops the next message.
  void stopNext(Gate gate) {
    next.set(gate);
  }

  @Override
  public MemoryStatus read(long address, MemorySegment into, long offset, long length) {
    pass();
    MemorySegment.copy(bytes, address - base, into, offset, length);
    return MemoryStatus.OK;
  }

  @Override
  public MemoryStatus write(long address, MemorySegment from, long offset, long length) {
    pass();
    MemorySegment.copy(from, offset, bytes, address - base, length);
    return MemoryStatus.OK;
  }

  private void pass() {
    Gate gate = next.getAndSet(null);
    if (gate != null) {
      gate.pass();
    }
  }
}
