package dev.sluice.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Message-only memory whose peer is a buffer in this process, and answers as a test wants.
public final class FakePort implements MessagePort {
  private final long base;
  private final MemorySegment bytes;
  private volatile MemoryStatus answer = MemoryStatus.OK;
  private volatile boolean mayWait = true;
  private volatile int messages;

  public FakePort(long base, long size) {
    this.base = base;
    this.bytes = Arena.ofAuto().allocate(size);
  }

  /// What is behind the port.
  public MemorySegment bytes() {
    return bytes;
  }

  /// How later accesses end.
  public void answer(MemoryStatus next) {
    answer = next;
  }

  /// Whether the calling thread counts as one that may wait.
  public void mayWait(boolean may) {
    mayWait = may;
  }

  /// Accesses so far.
  public int messages() {
    return messages;
  }

  @Override
  public boolean mayWait() {
    return mayWait;
  }

  @Override
  public synchronized MemoryStatus read(
      long address, MemorySegment into, long offset, long length) {
    messages++;
    MemoryStatus status = mayWait ? answer : MemoryStatus.WOULD_BLOCK;
    if (status == MemoryStatus.OK) {
      MemorySegment.copy(bytes, address - base, into, offset, length);
    }
    return status;
  }

  @Override
  public synchronized MemoryStatus write(
      long address, MemorySegment from, long offset, long length) {
    messages++;
    MemoryStatus status = mayWait ? answer : MemoryStatus.WOULD_BLOCK;
    if (status == MemoryStatus.OK) {
      MemorySegment.copy(from, offset, bytes, address - base, length);
    }
    return status;
  }
}
