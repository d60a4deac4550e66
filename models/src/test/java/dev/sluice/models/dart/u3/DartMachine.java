package dev.sluice.models.dart.u3;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.MapResult;
import dev.sluice.dma.Mapping;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.RamRegion;
import dev.sluice.memory.Word;
import java.nio.ByteOrder;

/// A DART with 8 MiB of memory and one device. Register offsets, bits and entries are written here
/// again, from Linux's driver.
final class DartMachine implements AutoCloseable {
  static final int MEMORY_BYTES = 8 << 20;
  static final long TABLE = 0x40_0000;
  static final RequesterId DEVICE = RequesterId.of(0, 5, 0);

  static final int CNTL = 0x00;
  static final int U3_EXCP = 0x10;
  static final int U4_BASE = 0x10;
  static final int U4_SIZE = 0x20;
  static final int U4_EXCP = 0x30;

  static final long U3_ENABLE = 0x200;
  static final long U3_FLUSH = 0x400;
  static final long U4_ENABLE = 0x8000_0000L;
  static final long U4_IONE = 0x4000_0000L;
  static final long U4_FLUSH = 0x2000_0000L;
  static final long U4_IDLE = 0x1000_0000L;

  static final long VALID = 0x8000_0000L;

  final GuestMemory memory = new GuestMemory();
  final U3DartIommu iommu;
  final DmaContext device;

  /// Chip faults so far.
  int faults;

  DartMachine(U3DartConfig config) {
    memory.addRam(0, RamRegion.allocate(MEMORY_BYTES));
    iommu = new U3DartIommu(config, memory, () -> faults++);
    device = attach(DEVICE);
  }

  static DartMachine u3() {
    return new DartMachine(U3DartConfig.U3);
  }

  static DartMachine u4() {
    return new DartMachine(U3DartConfig.U4);
  }

  /// One more device; an invalidation waits for its mappings for as long as it takes.
  DmaContext attach(RequesterId requester) {
    DmaContext context = DmaContext.behind(iommu, memory, requester);
    context.revocation(Revocation.never());
    return context;
  }

  boolean isU3() {
    return iommu.config().bridge() == Bridge.U3;
  }

  /// Enabled, with a table of `pages` pages.
  DartMachine enabled(int pages) {
    if (isU3()) {
      write(CNTL, TABLE | U3_ENABLE | pages);
    } else {
      write(U4_BASE, TABLE >> 12);
      write(U4_SIZE, pages);
      write(CNTL, U4_ENABLE);
    }
    return this;
  }

  long read(int offset) {
    return iommu.readRegister(offset, 4);
  }

  void write(int offset, long value) {
    iommu.writeRegister(offset, 4, value);
  }

  long flushBit() {
    return isU3() ? U3_FLUSH : U4_FLUSH;
  }

  /// Asks for a flush as a driver does, and does not wait for it.
  void flush() {
    write(CNTL, read(CNTL) | flushBit());
  }

  boolean isFlushing() {
    return (read(CNTL) & flushBit()) != 0;
  }

  /// Writes the entry of a page.
  void entry(long iova, long entry) {
    assertThat(memory.store(TABLE + (iova >> 12) * 4, 4, ByteOrder.BIG_ENDIAN, entry))
        .isEqualTo(MemoryStatus.OK);
  }

  void map(long iova, long address) {
    entry(iova, VALID | address >> 12);
  }

  long load(long address) {
    Word word = new Word();
    assertThat(memory.load(address, 8, ByteOrder.LITTLE_ENDIAN, word)).isEqualTo(MemoryStatus.OK);
    return word.asLong();
  }

  Mapping mapping(long iova, long length) {
    MapResult result = device.map(iova, length, Access.READ_WRITE);
    assertThat(result).isInstanceOf(Mapping.class);
    return (Mapping) result;
  }

  /// Where a write through an address arrives, as the first byte of a page; or -1.
  long leadsTo(DmaContext from, long iova) {
    for (long page = 0; page < MEMORY_BYTES; page += 4096) {
      memory.store(page, 8, ByteOrder.LITTLE_ENDIAN, page == TABLE ? load(page) : 0);
    }
    if (from.store(iova, 8, ByteOrder.LITTLE_ENDIAN, 0x5A5A) != null) {
      return -1;
    }
    for (long page = 0; page < MEMORY_BYTES; page += 4096) {
      if (load(page) == 0x5A5A) {
        return page;
      }
    }
    return -1;
  }

  /// Gives the memory back, once no mapping holds it.
  @Override
  public void close() {
    memory.remove(0, MEMORY_BYTES - 1, () -> {});
  }
}
