package dev.sluice.testkit.dart;

import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.Word;
import dev.sluice.testkit.TableStore;
import java.nio.ByteOrder;

/// The part of guest memory in which a driver keeps its tables, given out from the bottom up.
public final class DriverMemory implements TableStore {
  private final GuestMemory memory;
  private final long end;
  private long next;

  /// @param first guest-physical address of its first byte
  /// @param bytes how many there are
  public DriverMemory(GuestMemory memory, long first, long bytes) {
    this.memory = memory;
    next = first;
    end = first + bytes;
  }

  @Override
  public synchronized long table(int bytes) {
    long address = (next + bytes - 1) & -(long) bytes;
    if (address + bytes > end) {
      throw new IllegalStateException("no room for a table of " + bytes + " bytes");
    }
    next = address + bytes;
    if (memory.fill(address, bytes, (byte) 0) != bytes) {
      throw new IllegalStateException("no memory at 0x%x".formatted(address));
    }
    return address;
  }

  /// Stores a big-endian word.
  void storeWord(long address, long value) {
    check(memory.store(address, Integer.BYTES, ByteOrder.BIG_ENDIAN, value), address);
  }

  @Override
  public void store(long address, long value) {
    check(memory.store(address, Long.BYTES, ByteOrder.LITTLE_ENDIAN, value), address);
  }

  @Override
  public long load(long address) {
    Word word = new Word();
    check(memory.load(address, Long.BYTES, ByteOrder.LITTLE_ENDIAN, word), address);
    return word.asLong();
  }

  private static void check(MemoryStatus status, long address) {
    if (status != MemoryStatus.OK) {
      throw new IllegalStateException("table entry at 0x%x: %s".formatted(address, status));
    }
  }
}
