package dev.sluice.testkit.contract;

import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.RamRegion;
import dev.sluice.memory.Word;
import dev.sluice.testkit.TableStore;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// The guest memory of a machine under contract.
///
/// ```
/// 0x0000_0000  nothing of interest
/// 0x0010_0000  the guest's tables and queues
/// 0x0030_0000  pages for devices
/// 0x0040_0000  one large page
/// 0x0060_0000  end
/// 0x0400_0000  pages that are reached by messages
/// ```
public final class ContractMemory implements TableStore, AutoCloseable {
  /// Where a large page may be, of 2 MiB at the most.
  static final long LARGE = 0x40_0000;

  static final long LARGE_BYTES = 0x20_0000;

  private static final long TABLES = 0x10_0000;
  private static final long FRAMES = 0x30_0000;
  private static final int RAM_BYTES = 0x60_0000;
  private static final long MESSAGES = 0x400_0000;
  private static final int MESSAGE_BYTES = 1 << 20;

  private final GuestMemory physical = new GuestMemory();
  private final GatedPort port = new GatedPort(MESSAGES, MESSAGE_BYTES);
  private long nextTable = TABLES;

  ContractMemory() {
    physical.addRam(0, RamRegion.allocate(RAM_BYTES));
    physical.addMessageOnly(MESSAGES, MESSAGE_BYTES, true, port);
  }

  /// As the model and its devices reach it.
  public GuestMemory physical() {
    return physical;
  }

  @Override
  public long table(int bytes) {
    long address = (nextTable + bytes - 1) & -(long) bytes;
    if (address + bytes > FRAMES) {
      throw new IllegalStateException("no more memory for tables");
    }
    nextTable = address + bytes;
    fill(address, bytes, (byte) 0);
    return address;
  }

  /// First address of memory that tables were taken from.
  public long tables() {
    return TABLES;
  }

  /// End of it.
  public long tablesEnd() {
    return nextTable;
  }

  long frames() {
    return FRAMES;
  }

  long messages() {
    return MESSAGES;
  }

  GatedPort port() {
    return port;
  }

  @Override
  public void store(long address, long value) {
    store(address, Long.BYTES, ByteOrder.LITTLE_ENDIAN, value);
  }

  @Override
  public long load(long address) {
    return load(address, Long.BYTES, ByteOrder.LITTLE_ENDIAN);
  }

  /// Stores 4 or 8 bytes.
  public void store(long address, int bytes, ByteOrder order, long value) {
    require(physical.store(address, bytes, order, value) == MemoryStatus.OK, address);
  }

  /// Loads 4 or 8 bytes.
  public long load(long address, int bytes, ByteOrder order) {
    Word word = new Word();
    require(physical.load(address, bytes, order, word) == MemoryStatus.OK, address);
    return word.asLong();
  }

  void fill(long address, long bytes, byte value) {
    require(physical.fill(address, bytes, value) == bytes, address);
  }

  /// Whether bytes are all of one value.
  boolean isAll(long address, int bytes, byte value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment copy = arena.allocate(bytes);
      require(physical.read(address, copy, 0, bytes) == bytes, address);
      for (int i = 0; i < bytes; i++) {
        if (copy.get(ValueLayout.JAVA_BYTE, i) != value) {
          return false;
        }
      }
      return true;
    }
  }

  private static void require(boolean reached, long address) {
    if (!reached) {
      throw new IllegalStateException("the guest cannot reach 0x%x".formatted(address));
    }
  }

  @Override
  public void close() {
    physical.remove(0, -1, () -> {});
  }
}
