package dev.sluice.pci.nvme;

import dev.sluice.dma.ScatterGatherList;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/// What one thread needs to execute a command, made once and used for every command of that thread.
final class CommandBuffers {
  /// Bytes of the bounce buffer: what is moved at a time where guest memory cannot be mapped, and
  /// compared at a time.
  static final int BOUNCE = 128 * 1024;

  private final SubmissionEntry entry = new SubmissionEntry();
  private final ScatterGatherList data = new ScatterGatherList();
  private final ByteBuffer bounce = ByteBuffer.allocateDirect(BOUNCE);
  private final MemorySegment bounceBytes = MemorySegment.ofBuffer(bounce);
  private int result;

  /// Dword 0 of the completion of an admin command.
  int result() {
    return result;
  }

  void result(int value) {
    result = value;
  }

  /// The command.
  SubmissionEntry entry() {
    return entry;
  }

  /// Where the guest has its data, once [DataPointer] has resolved it.
  ScatterGatherList data() {
    return data;
  }

  /// The first `length` bytes of the bounce buffer, for a backend.
  ByteBuffer bounce(int length) {
    return bounce.clear().limit(length);
  }

  /// All of the bounce buffer, for a DMA context.
  MemorySegment bounceBytes() {
    return bounceBytes;
  }
}
