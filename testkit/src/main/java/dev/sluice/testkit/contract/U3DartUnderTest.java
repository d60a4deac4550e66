package dev.sluice.testkit.contract;

import static java.nio.ByteOrder.BIG_ENDIAN;

import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;
import dev.sluice.models.dart.u3.U3DartConfig;
import dev.sluice.models.dart.u3.U3DartIommu;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;

/// The DART of a Power Mac G5: one table of 32-bit entries, pages without rights, invalidation by a
/// bit that is polled. Register offsets and bits are those of Linux's `dart_iommu.c`; unlike it,
/// this driver invalidates what it unmaps, and does not wait.
public final class U3DartUnderTest implements IommuUnderTest {
  private static final int CNTL = 0x00;
  private static final int U3_EXCP = 0x10;
  private static final int U4_BASE = 0x10;
  private static final int U4_SIZE = 0x20;
  private static final int U4_EXCP = 0x30;
  private static final long U3_ENABLE = 0x200;
  private static final long U3_FLUSH = 0x400;
  private static final long U4_ENABLE = 0x8000_0000L;
  private static final long U4_IONE = 0x4000_0000L;
  private static final long U4_FLUSH = 0x2000_0000L;
  private static final long VALID = 0x8000_0000L;
  private static final int PAGE_SHIFT = 12;
  private static final int TABLE_PAGES = 8;
  private static final int TABLE_BYTES = TABLE_PAGES << PAGE_SHIFT;

  /// What the model has under way at a time; the rest is merged.
  private static final int MOST_DRAINS = 32;

  private static final PageSize SMALLEST = new PageSize(PAGE_SHIFT, 0x10_0000);

  private final ContractMemory memory;
  private final boolean u4;
  private final U3DartIommu iommu;
  private final long table;
  private final List<FaultReport> faults = new ArrayList<>();

  private U3DartUnderTest(ContractMemory memory, boolean u4) {
    this.memory = memory;
    this.u4 = u4;
    table = memory.table(TABLE_BYTES);
    iommu =
        new U3DartIommu(
            u4 ? U3DartConfig.U4 : U3DartConfig.U3, memory.physical(), this::machineCheck);
    enable();
  }

  /// A U3, which knows a flush of everything only.
  public static IommuUnderTest u3(ContractMemory memory) {
    return new U3DartUnderTest(memory, false);
  }

  /// A U4, which can invalidate a page, too.
  public static IommuUnderTest u4(ContractMemory memory) {
    return new U3DartUnderTest(memory, true);
  }

  private void enable() {
    if (u4) {
      iommu.writeRegister(U4_BASE, 4, table >> PAGE_SHIFT);
      iommu.writeRegister(U4_SIZE, 4, TABLE_PAGES);
      iommu.writeRegister(CNTL, 4, U4_ENABLE);
    } else {
      iommu.writeRegister(CNTL, 4, table | U3_ENABLE | TABLE_PAGES);
    }
  }

  @Override
  public Iommu iommu() {
    return iommu;
  }

  @Override
  public Abilities abilities() {
    return new Abilities(
        List.of(SMALLEST),
        Set.of(Access.READ_WRITE),
        1,
        u4 ? Set.of(Width.PAGE, Width.EVERYTHING) : Set.of(Width.EVERYTHING),
        Notice.POLLED,
        10_000,
        MOST_DRAINS,
        false,
        1 << PAGE_SHIFT);
  }

  @Override
  public RequesterId attach(int number, int domain) {
    if (domain != 0) {
      throw new UnsupportedOperationException("there is one table for all");
    }
    return RequesterId.of(0, number, 0);
  }

  private void entry(long iova, long entry) {
    memory.store(table + (iova >> PAGE_SHIFT) * 4, 4, BIG_ENDIAN, entry);
  }

  @Override
  public void map(int domain, long iova, long address, PageSize size, Access rights) {
    if (rights != Access.READ_WRITE) {
      throw new UnsupportedOperationException("an entry is valid or not");
    }
    entry(iova, VALID | address >> PAGE_SHIFT);
  }

  @Override
  public Request remap(int domain, long iova, long address) {
    entry(iova, VALID | address >> PAGE_SHIFT);
    return invalidate(iova, 1);
  }

  @Override
  public Request unmap(int domain, long iova, int pages) {
    for (int i = 0; i < pages; i++) {
      entry(iova + ((long) i << PAGE_SHIFT), 0);
    }
    return invalidate(iova, pages);
  }

  @Override
  public Request clear(Width width, int domain) {
    if (width != Width.EVERYTHING) {
      throw new UnsupportedOperationException("there is one table for all");
    }
    memory.fill(table, TABLE_BYTES, (byte) 0);
    return flush();
  }

  private Request invalidate(long iova, int pages) {
    if (!u4) {
      return flush();
    }
    for (int i = 0; i < pages; i++) {
      iommu.writeRegister(CNTL, 4, U4_ENABLE | U4_IONE | (iova >> PAGE_SHIFT) + i);
    }
    return until(U4_IONE);
  }

  private Request flush() {
    long bit = u4 ? U4_FLUSH : U3_FLUSH;
    long one = u4 ? U4_IONE : 0;
    iommu.writeRegister(CNTL, 4, (iommu.readRegister(CNTL, 4) & ~one) | bit);
    return until(bit);
  }

  private Request until(long bit) {
    return () -> (iommu.readRegister(CNTL, 4) & bit) == 0;
  }

  @Override
  public void flood(int domain, long iova) {
    invalidate(iova, 1);
    flush();
  }

  @Override
  public int notices() {
    return 0;
  }

  /// The exception register has one record: the guest reads it when the chip says so.
  private synchronized void machineCheck() {
    int register = u4 ? U4_EXCP : U3_EXCP;
    long record = iommu.readRegister(register, 4);
    faults.add(new FaultReport((record >> 4 & 0x7FF_FFFF) << PAGE_SHIFT, (record & 8) != 0));
    iommu.writeRegister(register, 4, 0);
  }

  @Override
  public synchronized List<FaultReport> takeFaults() {
    List<FaultReport> found = List.copyOf(faults);
    faults.clear();
    return found;
  }

  @Override
  public Request reset() {
    Request reset = Request.told(iommu::reset);
    memory.fill(table, TABLE_BYTES, (byte) 0);
    enable();
    return reset;
  }

  @Override
  public void scribble(RandomGenerator random) {
    for (int i = 0; i < TABLE_BYTES; i += 4) {
      memory.store(table + i, 4, BIG_ENDIAN, random.nextLong());
    }
  }

  @Override
  public void close() {}
}
