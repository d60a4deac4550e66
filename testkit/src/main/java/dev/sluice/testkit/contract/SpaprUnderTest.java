package dev.sluice.testkit.contract;

import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;
import dev.sluice.models.spapr.PartitionableEndpoint;
import dev.sluice.models.spapr.ReturnCode;
import dev.sluice.models.spapr.RtasFunction;
import dev.sluice.models.spapr.SpaprConfig;
import dev.sluice.models.spapr.SpaprIommu;
import dev.sluice.models.spapr.TceFault;
import dev.sluice.models.spapr.VirtualCpu;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;

/// TCE tables: a host bridge for each domain, with its default window of 4 KiB pages, and a dynamic
/// one where pages are larger. One hypercall changes entries and drains what it takes away; each is
/// made by a processor of its own, so that any number may be halted. Opcodes and their arguments
/// are those of LoPAR.
///
/// A whole domain is cleared by one call for the window, as a kernel does that finds the tables of
/// the one before it.
public final class SpaprUnderTest implements IommuUnderTest {
  private static final long H_PUT_TCE = 0x20;
  private static final long H_STUFF_TCE = 0x138;
  private static final long DEFAULT_LIOBN = 0x8000_0000L;
  private static final long DYNAMIC_BASE = 0x0800_0000_0000_0000L;
  private static final int WINDOW_SHIFT = 30;
  private static final int DOMAINS = 8;

  /// Those of a guest that floods the model: each is halted by one call at the most.
  private static final int PROCESSORS = 16;

  /// The model remembers so many refused accesses for whoever asks the firmware.
  private static final int FAULTS = 64;

  private static final PageSize SMALLEST = new PageSize(12, 0x10_0000);
  private static final List<PageSize> SIZES =
      List.of(
          SMALLEST,
          new PageSize(16, DYNAMIC_BASE + (1 << 24)),
          new PageSize(21, DYNAMIC_BASE + (1 << 24)),
          new PageSize(24, DYNAMIC_BASE + (1 << 24)));

  private final SpaprIommu iommu;
  private final List<PartitionableEndpoint> bridges = new ArrayList<>();
  private final AtomicInteger resumed = new AtomicInteger();
  private final List<Processor> flooding = new ArrayList<>();

  /// The newest report that the guest has taken.
  private int taken;

  /// A processor that makes one call.
  private final class Processor implements VirtualCpu, Request {
    private final AtomicBoolean over = new AtomicBoolean();

    Processor call(long opcode, long... registers) {
      long returned = iommu.hypercall(this, opcode, registers);
      if (returned != ReturnCode.HALTED) {
        finish(returned);
      }
      return this;
    }

    @Override
    public void halt() {}

    @Override
    public void resume(long returnCode) {
      resumed.incrementAndGet();
      finish(returnCode);
    }

    private void finish(long returnCode) {
      if (returnCode != ReturnCode.H_SUCCESS || over.getAndSet(true)) {
        throw new IllegalStateException("a hypercall returned " + returnCode + ", or twice");
      }
    }

    @Override
    public boolean isComplete() {
      return over.get();
    }
  }

  /// A partition with bridges and no functions.
  public SpaprUnderTest(ContractMemory memory) {
    SpaprConfig config = SpaprConfig.DEFAULT.withDefaultWindowBytes(1L << WINDOW_SHIFT);
    iommu = new SpaprIommu(config, memory.physical());
    for (int i = 0; i < DOMAINS; i++) {
      bridges.add(iommu.addHostBridge(i));
    }
  }

  @Override
  public Iommu iommu() {
    return iommu;
  }

  @Override
  public Abilities abilities() {
    return new Abilities(
        SIZES,
        EnumSet.allOf(Access.class),
        DOMAINS,
        EnumSet.of(Width.PAGE, Width.RANGE, Width.DOMAIN),
        Notice.RESUMED_PROCESSOR,
        256,
        PROCESSORS,
        true,
        FAULTS);
  }

  @Override
  public RequesterId attach(int number, int domain) {
    RequesterId function = RequesterId.of(domain, number, 0);
    iommu.attach(function, bridges.get(domain));
    return function;
  }

  private static long liobn(int domain) {
    return DEFAULT_LIOBN | (long) domain << 8;
  }

  @Override
  public void map(int domain, long iova, long address, PageSize size, Access rights) {
    long liobn = size.equals(SMALLEST) ? liobn(domain) : window(domain, size.shift());
    Processor processor =
        new Processor().call(H_PUT_TCE, liobn, iova, address | rights.rights(), 0);
    if (!processor.isComplete()) {
      throw new IllegalStateException("something is under way where nothing is mapped");
    }
  }

  /// A dynamic window of pages of a size, in the place of another.
  private long window(int domain, int shift) {
    PartitionableEndpoint bridge = bridges.get(domain);
    PartitionableEndpoint.Window last = bridge.windows().getLast();
    if (!last.isDefault() && last.pageShift() == shift) {
      return last.liobn();
    }
    if (!last.isDefault()) {
      rtas(RtasFunction.REMOVE_PE_DMA_WINDOW, new int[1], (int) last.liobn());
    }
    rtas(
        RtasFunction.CREATE_PE_DMA_WINDOW,
        new int[4],
        0,
        (int) (bridge.unitId() >>> 32),
        (int) bridge.unitId(),
        shift,
        WINDOW_SHIFT);
    return bridge.windows().getLast().liobn();
  }

  private void rtas(RtasFunction function, int[] outputs, int... inputs) {
    if (iommu.rtas(new Processor(), function, inputs, outputs) != ReturnCode.H_SUCCESS
        || outputs[0] != 0) {
      throw new IllegalStateException(function + " failed with " + outputs[0]);
    }
  }

  @Override
  public Request remap(int domain, long iova, long address) {
    return new Processor()
        .call(H_PUT_TCE, liobn(domain), iova, address | Access.READ_WRITE.rights(), 0);
  }

  @Override
  public Request unmap(int domain, long iova, int pages) {
    return pages == 1
        ? new Processor().call(H_PUT_TCE, liobn(domain), iova, 0, 0)
        : new Processor().call(H_STUFF_TCE, liobn(domain), iova, 0, pages);
  }

  @Override
  public Request clear(Width width, int domain) {
    if (width != Width.DOMAIN) {
      throw new UnsupportedOperationException("a call is about one window: " + width);
    }
    long pages = 1L << (WINDOW_SHIFT - SMALLEST.shift());
    return new Processor().call(H_STUFF_TCE, liobn(domain), 0, 0, pages);
  }

  @Override
  public void flood(int domain, long iova) {
    flooding.removeIf(Processor::isComplete);
    if (flooding.size() < PROCESSORS) {
      flooding.add(new Processor().call(H_PUT_TCE, liobn(domain), iova, 0, 0));
    }
  }

  @Override
  public int notices() {
    return resumed.get();
  }

  /// There is no fault record that the guest reads: this is what its firmware would be told.
  @Override
  public List<FaultReport> takeFaults() {
    long all = iommu.statistics().faults();
    List<TceFault> faults = iommu.faults();
    int fresh = (int) Math.min(faults.size(), all - taken);
    taken = (int) all;
    return faults.subList(faults.size() - fresh, faults.size()).stream()
        .map(fault ->
            new FaultReport(fault.ioba() & -(1L << SMALLEST.shift()), fault.access().writes()))
        .toList();
  }

  /// A reboot: the new guest begins when the machine says that all is drained.
  @Override
  public Request reset() {
    return Request.told(iommu::reset);
  }

  /// The tables are the hypervisor's, out of a guest's reach. What it has is calls with arguments
  /// of its choice.
  @Override
  public void scribble(RandomGenerator random) {
    long[] opcodes = {H_PUT_TCE, H_STUFF_TCE, 0x13C, 0x1C, 0xF000, random.nextLong()};
    for (int i = 0; i < 200; i++) {
      long[] registers = new long[SpaprIommu.REGISTERS];
      registers[0] = random.nextBoolean() ? liobn(random.nextInt(DOMAINS)) : random.nextLong();
      for (int j = 1; j < registers.length; j++) {
        registers[j] =
            switch (random.nextInt(3)) {
              case 0 -> random.nextLong();
              case 1 -> random.nextLong(1L << 25);
              default -> random.nextLong(1L << 13) << 12 | random.nextInt(4);
            };
      }
      iommu.hypercall(new Stray(), opcodes[random.nextInt(opcodes.length)], registers);
    }
  }

  /// A processor that does not look at what its call returns.
  private static final class Stray implements VirtualCpu {
    @Override
    public void halt() {}

    @Override
    public void resume(long returnCode) {}
  }

  @Override
  public void close() {
    iommu.close(() -> {});
  }
}
