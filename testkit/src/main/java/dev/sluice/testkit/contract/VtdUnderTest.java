package dev.sluice.testkit.contract;

import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;
import dev.sluice.models.vtd.VtdConfig;
import dev.sluice.models.vtd.VtdIommu;
import dev.sluice.testkit.vtd.VtdTables;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;

/// VT-d in legacy mode with a driver that follows Linux's: four levels, domain ids from 1 on, and
/// invalidation by the registers, which are polled, or by the queue, whose wait descriptors write a
/// status word and interrupt. Sections are those of the VT-d specification.
public final class VtdUnderTest implements IommuUnderTest {
  private static final int GCMD = 0x18;
  private static final int RTADDR = 0x20;
  private static final int CCMD = 0x28;
  private static final int FSTS = 0x34;
  private static final int IQT = 0x88;
  private static final int IQA = 0x90;
  private static final int ICS = 0x9C;
  private static final int IECTL = 0xA0;
  private static final int IVA = 0x200;
  private static final int IOTLB = 0x208;
  private static final int FRCD = 0x400;
  private static final int FAULT_RECORDS = 8;
  private static final long TRANSLATION_ENABLE = 1L << 31;
  private static final long SET_ROOT_TABLE_POINTER = 1L << 30;
  private static final long QUEUED_INVALIDATION_ENABLE = 1L << 26;
  private static final long START = 1L << 63;
  private static final long FAULT = 1L << 63;
  private static final long FAULT_READ = 1L << 62;

  /// IOTLB_REG.IIRG and the granularity of a descriptor, 11.4.8.1 and 6.5.2.3.
  private static final long GLOBAL = 1;

  private static final long OF_DOMAIN = 2;
  private static final long OF_PAGES = 3;

  private static final int PAGE = 4096;
  private static final int DESCRIPTORS = 256;

  /// What the model's queue has under way at a time; it waits with the rest.
  private static final int OF_QUEUE = 1024;

  /// One by each register that begins an invalidation: CCMD, IOTLB, and GCMD for its TE.
  private static final int OF_REGISTERS = 3;

  private static final int FIRST_LARGE = 40;

  private final ContractMemory memory;
  private final boolean queued;
  private final Queue<Runnable> worker = new ConcurrentLinkedQueue<>();
  private final VtdIommu iommu;
  private final long queue;
  private final long statuses;
  private final Map<Integer, Long> domains = new HashMap<>();

  /// What is mapped, by domain.
  private final Map<Integer, List<Leaf>> leaves = new HashMap<>();

  private final Map<RequesterId, Integer> functions = new HashMap<>();
  private final AtomicInteger interrupts = new AtomicInteger();
  private VtdTables tables;
  private int tail;
  private int submissions;

  /// A page of 4 KiB shifted left by `order`.
  private record Leaf(long iova, int order) {}

  private VtdUnderTest(ContractMemory memory, boolean queued) {
    this.memory = memory;
    this.queued = queued;
    queue = memory.table(PAGE);
    statuses = memory.table(PAGE);
    iommu =
        new VtdIommu(
            VtdConfig.DEFAULT.withFaultRecordingRegisters(FAULT_RECORDS),
            memory.physical(),
            (_, _) -> interrupted(),
            worker::add);
    tables = new VtdTables(memory);
    start();
  }

  /// A unit that is told by its registers.
  public static IommuUnderTest byRegisters(ContractMemory memory) {
    return new VtdUnderTest(memory, false);
  }

  /// A unit that is told by its queue.
  public static IommuUnderTest byQueue(ContractMemory memory) {
    return new VtdUnderTest(memory, true);
  }

  /// Empty tables, then translation on.
  private void start() {
    domains.clear();
    leaves.clear();
    functions.forEach(this::bind);
    iommu.writeRegister(RTADDR, 8, tables.root());
    iommu.writeRegister(GCMD, 4, SET_ROOT_TABLE_POINTER);
    long enabled = 0;
    if (queued) {
      tail = 0;
      enabled = QUEUED_INVALIDATION_ENABLE;
      iommu.writeRegister(IQT, 4, 0);
      iommu.writeRegister(IQA, 8, queue);
      iommu.writeRegister(IECTL, 4, 0);
      iommu.writeRegister(GCMD, 4, enabled);
    }
    iommu.writeRegister(GCMD, 4, enabled | TRANSLATION_ENABLE);
  }

  private void interrupted() {
    // ICS.IWC, 11.4.9.8: written as 1, it makes room for the next event.
    if (iommu.readRegister(ICS, 4) != 0) {
      interrupts.incrementAndGet();
      iommu.writeRegister(ICS, 4, 1);
    }
  }

  @Override
  public Iommu iommu() {
    return iommu;
  }

  @Override
  public Abilities abilities() {
    return new Abilities(
        List.of(
            new PageSize(12, 0x10_0000),
            new PageSize(21, 1L << FIRST_LARGE),
            new PageSize(30, 1L << (FIRST_LARGE + 1))),
        EnumSet.allOf(Access.class),
        8,
        Set.of(Width.values()),
        queued ? Notice.INTERRUPT : Notice.POLLED,
        queued ? DESCRIPTORS / 2 - 1 : 1,
        queued ? OF_QUEUE + OF_REGISTERS : OF_REGISTERS,
        false,
        FAULT_RECORDS);
  }

  // --- tables

  private static long domainId(int domain) {
    return domain + 1L;
  }

  private long table(int domain) {
    return domains.computeIfAbsent(domain, _ -> tables.table());
  }

  @Override
  public RequesterId attach(int number, int domain) {
    RequesterId function = RequesterId.of(0, number, 0);
    functions.put(function, domain);
    bind(function, domain);
    return function;
  }

  private void bind(RequesterId function, int domain) {
    tables.bind(function, table(domain), (int) domainId(domain));
  }

  /// Without caching mode, what was not present is in no cache: nothing is to be invalidated.
  @Override
  public void map(int domain, long iova, long address, PageSize size, Access rights) {
    Leaf leaf = new Leaf(iova, size.shift() - 12);
    tables.map(table(domain), iova, address, leaf.order(), rights);
    leaves.computeIfAbsent(domain, _ -> new ArrayList<>()).add(leaf);
  }

  @Override
  public Request remap(int domain, long iova, long address) {
    tables.map(table(domain), iova, address, 0, Access.READ_WRITE);
    return invalidatePages(domain, iova, 1);
  }

  @Override
  public Request unmap(int domain, long iova, int pages) {
    for (int i = 0; i < pages; i++) {
      tables.unmap(table(domain), iova + (long) i * PAGE, 0);
    }
    return invalidatePages(domain, iova, pages);
  }

  @Override
  public Request clear(Width width, int domain) {
    return switch (width) {
      case DOMAIN -> {
        empty(domain);
        yield invalidate(OF_DOMAIN, domain, 0);
      }
      case EVERYTHING -> {
        leaves.keySet().forEach(this::empty);
        yield invalidate(GLOBAL, domain, 0);
      }
      case PAGE, RANGE -> throw new UnsupportedOperationException("by unmap");
    };
  }

  private void empty(int domain) {
    leaves
        .getOrDefault(domain, List.of())
        .forEach(leaf -> tables.unmap(table(domain), leaf.iova(), leaf.order()));
  }

  // --- invalidation

  /// An aligned power of two of pages that has them all.
  private Request invalidatePages(int domain, long iova, int pages) {
    int order = 0;
    while ((iova >>> (12 + order)) != ((iova + (pages - 1L) * PAGE) >>> (12 + order))) {
      order++;
    }
    return invalidate(OF_PAGES, domain, (iova & -((long) PAGE << order)) | order);
  }

  private Request invalidate(long granularity, int domain, long address) {
    return queued ? submit(granularity, domain, address) : command(granularity, domain, address);
  }

  /// 6.5.1.
  private Request command(long granularity, int domain, long address) {
    iommu.writeRegister(IVA, 8, address);
    iommu.writeRegister(IOTLB, 8, START | granularity << 60 | domainId(domain) << 32);
    return () -> (iommu.readRegister(IOTLB, 8) & START) == 0;
  }

  /// 6.5.2: the invalidation, and a wait descriptor that writes a status word and interrupts.
  private Request submit(long granularity, int domain, long address) {
    int data = ++submissions;
    long status = statuses + data % (PAGE / 8) * 8L;
    append(2 | granularity << 4 | domainId(domain) << 16, address);
    append((long) data << 32 | 0x35, status);
    iommu.writeRegister(IQT, 4, tail * 16L);
    return () -> {
      runWorker();
      return (int) memory.load(status) == data;
    };
  }

  /// The queue without wait descriptors, which would keep it where it is.
  @Override
  public void flood(int domain, long iova) {
    if (queued) {
      append(2 | OF_PAGES << 4 | domainId(domain) << 16, iova);
      iommu.writeRegister(IQT, 4, tail * 16L);
    } else {
      command(OF_PAGES, domain, iova);
      iommu.writeRegister(CCMD, 8, START | GLOBAL << 61);
    }
    long enabled = queued ? QUEUED_INVALIDATION_ENABLE : 0;
    iommu.writeRegister(GCMD, 4, enabled);
    iommu.writeRegister(GCMD, 4, enabled | TRANSLATION_ENABLE);
    runWorker();
  }

  private void append(long low, long high) {
    memory.store(queue + tail * 16L, low);
    memory.store(queue + tail * 16L + 8, high);
    tail = (tail + 1) % DESCRIPTORS;
  }

  /// The machine's other threads, which work when nobody is looking.
  private void runWorker() {
    for (Runnable task = worker.poll(); task != null; task = worker.poll()) {
      task.run();
    }
  }

  @Override
  public int notices() {
    runWorker();
    return interrupts.get();
  }

  // --- faults, 7.2

  @Override
  public List<FaultReport> takeFaults() {
    List<FaultReport> found = new ArrayList<>();
    int first = (int) (iommu.readRegister(FSTS, 4) >> 8) & 0xFF;
    for (int i = 0; i < FAULT_RECORDS; i++) {
      int record = FRCD + 16 * ((first + i) % FAULT_RECORDS);
      long high = iommu.readRegister(record + 8, 8);
      if ((high & FAULT) != 0) {
        long page = iommu.readRegister(record, 8) & -PAGE;
        found.add(new FaultReport(page, (high & FAULT_READ) == 0));
        iommu.writeRegister(record + 12, 4, FAULT >>> 32);
      }
    }
    iommu.writeRegister(FSTS, 4, 1);
    return found;
  }

  // --- reset, rubbish

  @Override
  public Request reset() {
    Request reset = Request.told(iommu::reset);
    tables = new VtdTables(memory);
    start();
    return reset;
  }

  @Override
  public void scribble(RandomGenerator random) {
    for (long at = memory.tables(); at < memory.tablesEnd(); at += Long.BYTES) {
      if (at < queue || at >= statuses) {
        // Half of them lead to other tables, so that walks get deeper than the first entry.
        long entry = random.nextLong();
        memory.store(at, random.nextBoolean() ? entry : (entry & 0x7F_F000) | 3);
      }
    }
  }

  @Override
  public void close() {
    runWorker();
  }
}
