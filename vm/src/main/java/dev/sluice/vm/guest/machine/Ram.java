package dev.sluice.vm.guest.machine;

import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.Word;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;

/// The guest's own view of its RAM: little-endian words and runs of bytes at physical addresses.
///
/// Loads have acquire and stores release order, so what a driver stored is there when a device sees
/// the doorbell, and what a device wrote is there when the driver sees its status.
public final class Ram {
  /// Bytes of a page, 4 KiB.
  public static final int PAGE = 4096;

  private final GuestMemory memory;
  private final Word word = new Word();

  /// A view of `memory` for one thread.
  public Ram(GuestMemory memory) {
    this.memory = memory;
  }

  /// Loads 4 bytes.
  public int load32(long address) {
    check(memory.load(address, Integer.BYTES, ByteOrder.LITTLE_ENDIAN, word), address);
    return word.asInt();
  }

  /// Loads 8 bytes.
  public long load64(long address) {
    check(memory.load(address, Long.BYTES, ByteOrder.LITTLE_ENDIAN, word), address);
    return word.asLong();
  }

  /// Stores 4 bytes.
  public void store32(long address, int value) {
    check(memory.store(address, Integer.BYTES, ByteOrder.LITTLE_ENDIAN, value), address);
  }

  /// Stores 8 bytes.
  public void store64(long address, long value) {
    check(memory.store(address, Long.BYTES, ByteOrder.LITTLE_ENDIAN, value), address);
  }

  /// Copies bytes out of RAM.
  ///
  /// @param length bytes, at most those of `into` from `offset` on
  public void read(long address, byte[] into, int offset, int length) {
    checkMoved(memory.read(address, MemorySegment.ofArray(into), offset, length), length, address);
  }

  /// Copies bytes into RAM.
  ///
  /// @param length bytes, at most those of `from` from `offset` on
  public void write(long address, byte[] from, int offset, int length) {
    checkMoved(memory.write(address, MemorySegment.ofArray(from), offset, length), length, address);
  }

  /// Zeroes bytes.
  public void clear(long address, long length) {
    checkMoved(memory.fill(address, length, (byte) 0), length, address);
  }

  private static void check(MemoryStatus status, long address) {
    if (status != MemoryStatus.OK) {
      throw new IllegalStateException(
          "the guest has no RAM at 0x%x: %s".formatted(address, status));
    }
  }

  private static void checkMoved(long moved, long wanted, long address) {
    if (moved != wanted) {
      throw new IllegalStateException("the guest has no RAM at 0x%x".formatted(address + moved));
    }
  }
}
