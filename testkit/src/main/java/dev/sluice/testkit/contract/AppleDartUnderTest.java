package dev.sluice.testkit.contract;

import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;
import dev.sluice.models.dart.apple.AppleDartConfig;
import dev.sluice.models.dart.apple.AppleDartIommu;
import dev.sluice.models.dart.apple.DartType;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/// The DART of Apple's own processors: a function is a stream, and streams that have the same table
/// are a domain. The TLB forgets streams, or everything, behind one busy bit. Register offsets and
/// entries are those of Linux's `apple-dart.c` and `io-pgtable-dart.c`; unlike Linux, this driver
/// does not give up on the busy bit.
public final class AppleDartUnderTest implements IommuUnderTest {
  private static final int COMMAND = 0x20;
  private static final int SELECT = 0x34;
  private static final long INVALIDATE = 1L << 20;
  private static final long COMMAND_BUSY = 1L << 2;
  private static final int TLB_CMD = 0x80;
  private static final long TLB_CMD_BUSY = 1L << 31;
  private static final long TLB_CMD_STREAM = 1L << 8;
  private static final long ERROR_FLAG = 1L << 31;
  private static final long ALL_STREAMS = 0xFFFF;
  private static final int TOP_LEVEL = 2;
  private static final int PAGE_SHIFT = 14;
  private static final int PAGE_BYTES = 1 << PAGE_SHIFT;
  private static final int INDEX_BITS = PAGE_SHIFT - 3;
  private static final long VALID = 1;
  private static final long WHOLE_PAGE = 0xFFFL << 40;

  /// What the model has under way at a time; the rest is merged.
  private static final int MOST_DRAINS = 32;

  private static final PageSize SMALLEST = new PageSize(PAGE_SHIFT, 0x40_0000);

  private final ContractMemory memory;
  private final AppleDartIommu iommu;
  private final boolean t8110;

  /// Whether entries have the first format.
  private final boolean firstFormat;

  private final Map<Integer, Long> tables = new HashMap<>();
  private final Map<Integer, BitSet> streams = new HashMap<>();
  private final List<FaultReport> faults = new ArrayList<>();

  private AppleDartUnderTest(ContractMemory memory, AppleDartConfig config) {
    this.memory = memory;
    t8110 = config.type() == DartType.T8110;
    firstFormat = config.type() == DartType.T8020;
    iommu = new AppleDartIommu(config, memory.physical(), this::interrupted);
  }

  /// A t8020: the first format of entries.
  public static IommuUnderTest t8020(ContractMemory memory) {
    return new AppleDartUnderTest(memory, AppleDartConfig.T8020);
  }

  /// A t6000: the second format of entries.
  public static IommuUnderTest t6000(ContractMemory memory) {
    return new AppleDartUnderTest(memory, AppleDartConfig.T6000);
  }

  /// A t8110: other registers.
  public static IommuUnderTest t8110(ContractMemory memory) {
    return new AppleDartUnderTest(memory, AppleDartConfig.T8110);
  }

  @Override
  public Iommu iommu() {
    return iommu;
  }

  @Override
  public Abilities abilities() {
    return new Abilities(
        List.of(SMALLEST),
        EnumSet.allOf(Access.class),
        8,
        EnumSet.of(Width.DOMAIN, Width.EVERYTHING),
        Notice.POLLED,
        10_000,
        MOST_DRAINS,
        false,
        PAGE_BYTES);
  }

  // --- streams and tables

  @Override
  public RequesterId attach(int number, int domain) {
    streams.computeIfAbsent(domain, _ -> new BitSet()).set(number);
    bind(number, domain);
    return new RequesterId(number);
  }

  private void bind(int stream, int domain) {
    long top = table(domain);
    if (t8110) {
      write(0x1400 + 4 * stream, top >> PAGE_SHIFT << 2 | 1);
      write(0x1000 + 4 * stream, 1);
    } else {
      write(0x200 + 16 * stream, top >> 12 | 1L << 31);
      write(0x100 + 4 * stream, 1L << 7);
    }
  }

  private long table(int domain) {
    return tables.computeIfAbsent(domain, _ -> memory.table(PAGE_BYTES));
  }

  private long field(long address) {
    return firstFormat ? address : address >> 4;
  }

  /// Where the last entry of an address is; makes the table above it.
  private long entry(int domain, long iova) {
    long table = table(domain);
    for (int level = TOP_LEVEL; level > 1; level--) {
      long at = table + index(iova, level);
      if (memory.load(at) == 0) {
        memory.store(at, field(memory.table(PAGE_BYTES)) | VALID);
      }
      table =
          firstFormat ? memory.load(at) & 0xF_FFFF_F000L : (memory.load(at) & 0x3F_FFFF_FC00L) << 4;
    }
    return table + index(iova, 1);
  }

  private static long index(long iova, int level) {
    return (iova >> (PAGE_SHIFT + (level - 1) * INDEX_BITS) & ((1 << INDEX_BITS) - 1)) * Long.BYTES;
  }

  private void map(int domain, long iova, long address, Access rights) {
    long noRead = rights.reads() ? 0 : firstFormat ? 1 << 8 : 1 << 3;
    long noWrite = rights.writes() ? 0 : firstFormat ? 1 << 7 : 1 << 2;
    memory.store(entry(domain, iova), field(address) | WHOLE_PAGE | noRead | noWrite | VALID);
  }

  @Override
  public void map(int domain, long iova, long address, PageSize size, Access rights) {
    map(domain, iova, address, rights);
  }

  @Override
  public Request remap(int domain, long iova, long address) {
    map(domain, iova, address, Access.READ_WRITE);
    return invalidate(streams(domain));
  }

  @Override
  public Request unmap(int domain, long iova, int pages) {
    for (int i = 0; i < pages; i++) {
      memory.store(entry(domain, iova + (long) i * PAGE_BYTES), 0);
    }
    return invalidate(streams(domain));
  }

  @Override
  public Request clear(Width width, int domain) {
    return switch (width) {
      case DOMAIN -> {
        empty(domain);
        yield invalidate(streams(domain));
      }
      case EVERYTHING -> {
        tables.keySet().forEach(this::empty);
        yield invalidateAll();
      }
      case PAGE, RANGE -> throw new UnsupportedOperationException("the TLB forgets streams");
    };
  }

  private void empty(int domain) {
    memory.fill(table(domain), PAGE_BYTES, (byte) 0);
  }

  // --- invalidation

  private BitSet streams(int domain) {
    return streams.getOrDefault(domain, new BitSet());
  }

  private Request invalidate(BitSet which) {
    if (t8110) {
      which.stream().forEach(stream -> write(TLB_CMD, TLB_CMD_STREAM | stream));
    } else {
      write(SELECT, which.isEmpty() ? 0 : which.toLongArray()[0]);
      write(COMMAND, INVALIDATE);
    }
    return this::isQuiet;
  }

  private Request invalidateAll() {
    if (t8110) {
      write(TLB_CMD, 0);
    } else {
      write(SELECT, ALL_STREAMS);
      write(COMMAND, INVALIDATE);
    }
    return this::isQuiet;
  }

  private boolean isQuiet() {
    return t8110 ? (read(TLB_CMD) & TLB_CMD_BUSY) == 0 : (read(COMMAND) & COMMAND_BUSY) == 0;
  }

  private long read(int offset) {
    return iommu.readRegister(offset, 4);
  }

  private void write(int offset, long value) {
    iommu.writeRegister(offset, 4, value);
  }

  @Override
  public void flood(int domain, long iova) {
    invalidate(streams(domain));
    invalidateAll();
  }

  @Override
  public int notices() {
    return 0;
  }

  // --- faults

  /// The error register has one record, until software clears it. A t8020 does not say whether the
  /// access was a write where nothing is mapped: the contract's are.
  private synchronized void interrupted(boolean asserted) {
    if (!asserted) {
      return;
    }
    int register = t8110 ? 0x100 : 0x40;
    long error = read(register);
    long low = read(t8110 ? 0x170 : 0x50);
    long high = read(t8110 ? 0x174 : 0x54);
    if ((error & ERROR_FLAG) != 0) {
      boolean write = !t8110 || (error & 1L << 28) != 0;
      faults.add(new FaultReport((high << 32 | low) & -PAGE_BYTES, write));
      write(register, error);
    }
  }

  @Override
  public synchronized List<FaultReport> takeFaults() {
    List<FaultReport> found = List.copyOf(faults);
    faults.clear();
    return found;
  }

  // --- reset, rubbish

  @Override
  public Request reset() {
    Request reset = Request.told(iommu::reset);
    tables.keySet().forEach(this::empty);
    streams.forEach((domain, which) -> which.stream().forEach(stream -> bind(stream, domain)));
    return reset;
  }

  @Override
  public void scribble(RandomGenerator random) {
    for (long at = memory.tables(); at < memory.tablesEnd(); at += Long.BYTES) {
      // Half of them lead to other tables, so that walks get deeper than the first entry.
      long entry = random.nextLong();
      memory.store(
          at, random.nextBoolean() ? entry : field(random.nextInt(0x7F) * 0x1_0000L) | VALID);
    }
  }

  @Override
  public void close() {}
}
