package dev.sluice.memory;

import java.lang.foreign.MemorySegment;

/// The way to memory that the peer did not share: each access is a message to the peer and its
/// answer.
///
/// Addresses are guest-physical. A call returns after the answer, so an implementation refuses,
/// with [MemoryStatus#WOULD_BLOCK], on the thread that receives the answers, and gives up after a
/// deadline of its own.
public interface MessagePort {
  /// Reads `length` bytes at the guest-physical `address` into `into` from `offset` on.
  MemoryStatus read(long address, MemorySegment into, long offset, long length);

  /// Whether the calling thread may wait for an answer. Where it may not, [#read] and [#write]
  /// answer [MemoryStatus#WOULD_BLOCK].
  default boolean mayWait() {
    return true;
  }

  /// Writes `length` bytes of `from`, from `offset` on, to the guest-physical `address`.
  MemoryStatus write(long address, MemorySegment from, long offset, long length);
}
