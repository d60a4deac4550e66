package dev.sluice.models.dart.apple;

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
import java.util.ArrayList;
import java.util.List;

/// A DART with 16 MiB of memory at 0 and one device, on stream 3. Register offsets, bits and
/// entries are written here again, from Linux's drivers.
final class DartMachine implements AutoCloseable {
  static final int MEMORY_BYTES = 16 << 20;
  static final int STREAM = 3;

  static final int COMMAND = 0x20;
  static final int SELECT = 0x34;
  static final int ERROR = 0x40;
  static final int ADDR_LO = 0x50;
  static final int ADDR_HI = 0x54;
  static final int CONFIG = 0x60;
  static final int REMAP = 0x80;
  static final int STREAMS_ENABLE = 0xFC;
  static final long INVALIDATE = 1L << 20;
  static final long BUSY = 1L << 2;

  static final int T8110_TLB_CMD = 0x80;
  static final int T8110_ERROR = 0x100;
  static final int T8110_ERROR_MASK = 0x104;
  static final int T8110_ADDR_LO = 0x170;
  static final int T8110_ADDR_HI = 0x174;
  static final long T8110_BUSY = 1L << 31;

  static final long FLAG = 1L << 31;

  /// By type: read and write, no read, no write, nothing.
  static final long READ_WRITE = 0;

  final GuestMemory memory = new GuestMemory();
  final List<Boolean> interrupts = new ArrayList<>();
  final AppleDartIommu iommu;
  final DmaContext device;
  private final AppleDartConfig config;
  private long nextTable = 8 << 20;

  DartMachine(AppleDartConfig config) {
    this.config = config;
    memory.addRam(0, RamRegion.allocate(MEMORY_BYTES));
    iommu = new AppleDartIommu(config, memory, interrupts::add);
    device = attach(STREAM);
  }

  static AppleDartConfig config(DartType type) {
    return switch (type) {
      case T8020 -> AppleDartConfig.T8020;
      case T6000 -> AppleDartConfig.T6000;
      case T8110 -> AppleDartConfig.T8110;
    };
  }

  static DartMachine of(DartType type) {
    return new DartMachine(config(type));
  }

  boolean isT8110() {
    return config.type() == DartType.T8110;
  }

  /// One more device; an invalidation waits for its mappings for as long as it takes.
  DmaContext attach(int stream) {
    DmaContext context = DmaContext.behind(iommu, memory, new RequesterId(stream));
    context.revocation(Revocation.never());
    return context;
  }

  long read(int offset) {
    return iommu.readRegister(offset, 4);
  }

  void write(int offset, long value) {
    iommu.writeRegister(offset, 4, value);
  }

  int tcr(int stream) {
    return (isT8110() ? 0x1000 : 0x100) + 4 * stream;
  }

  int ttbr(int stream, int index) {
    return isT8110() ? 0x1400 + 4 * stream : 0x200 + 16 * stream + 4 * index;
  }

  long translate() {
    return isT8110() ? 1 : 0x80;
  }

  long bypass() {
    return isT8110() ? 6 : 0x1100;
  }

  long valid(long table) {
    return isT8110() ? table >> 14 << 2 | 1 : table >> 12 | 0x8000_0000L;
  }

  /// Gives a stream an empty top table, and switches translation on.
  long translated(int stream) {
    long top = table();
    write(ttbr(stream, 0), valid(top));
    write(tcr(stream), translate());
    return top;
  }

  /// A fresh zeroed table.
  long table() {
    long table = nextTable;
    nextTable += 1L << config.pageShift();
    assertThat(memory.fill(table, 1L << config.pageShift(), (byte) 0))
        .isEqualTo(1L << config.pageShift());
    return table;
  }

  /// An address as an entry has it.
  long field(long address) {
    return config.type() == DartType.T8020 ? address : address >> 4;
  }

  long noRead() {
    return config.type() == DartType.T8020 ? 1 << 8 : 1 << 3;
  }

  long noWrite() {
    return config.type() == DartType.T8020 ? 1 << 7 : 1 << 2;
  }

  /// The whole page may be touched.
  static long wholePage() {
    return 0xFFFL << 40;
  }

  /// Where the last entry of an address is; makes the tables above it.
  long entryAddress(long top, int levels, long iova) {
    int bits = config.pageShift() - 3;
    long table = top;
    for (int level = levels - 1; level > 0; level--) {
      long at = table + (iova >> (config.pageShift() + level * bits)) % (1L << bits) * 8;
      if (load(at) == 0) {
        store(at, field(table()) | 1);
      }
      table =
          config.type() == DartType.T8020
              ? load(at) & 0xF_FFFF_F000L
              : (load(at) & 0x3F_FFFF_FC00L) << 4;
    }
    return table + (iova >> config.pageShift()) % (1L << bits) * 8;
  }

  void map(long top, long iova, long address, long protection) {
    store(entryAddress(top, 2, iova), field(address) | 1 | wholePage() | protection);
  }

  void unmap(long top, long iova) {
    store(entryAddress(top, 2, iova), 0);
  }

  /// Asks for an invalidation as a driver does, and does not wait for it.
  void invalidate(int stream) {
    if (isT8110()) {
      write(T8110_TLB_CMD, 0x100 | stream);
    } else {
      write(SELECT, 1L << stream);
      write(COMMAND, INVALIDATE);
    }
  }

  boolean isBusy() {
    return isT8110() ? (read(T8110_TLB_CMD) & T8110_BUSY) != 0 : (read(COMMAND) & BUSY) != 0;
  }

  int errorRegister() {
    return isT8110() ? T8110_ERROR : ERROR;
  }

  long errorAddress() {
    return isT8110()
        ? read(T8110_ADDR_HI) << 32 | read(T8110_ADDR_LO)
        : read(ADDR_HI) << 32 | read(ADDR_LO);
  }

  long load(long address) {
    Word word = new Word();
    assertThat(memory.load(address, 8, ByteOrder.LITTLE_ENDIAN, word)).isEqualTo(MemoryStatus.OK);
    return word.asLong();
  }

  void store(long address, long value) {
    assertThat(memory.store(address, 8, ByteOrder.LITTLE_ENDIAN, value)).isEqualTo(MemoryStatus.OK);
  }

  Mapping mapping(long iova, long length) {
    return mapping(device, iova, length);
  }

  static Mapping mapping(DmaContext from, long iova, long length) {
    MapResult result = from.map(iova, length, Access.READ_WRITE);
    assertThat(result).isInstanceOf(Mapping.class);
    return (Mapping) result;
  }

  /// Whether a write through an address arrives at another.
  boolean leads(DmaContext from, long iova, long address) {
    store(address & -8, 0);
    if (from.store(iova, 1, ByteOrder.LITTLE_ENDIAN, 0x5A) != null) {
      return false;
    }
    return load(address & -8) >>> (8 * (address & 7)) == 0x5A;
  }

  /// Gives the memory back, once no mapping holds it.
  @Override
  public void close() {
    memory.remove(0, MEMORY_BYTES - 1, () -> {});
  }
}
