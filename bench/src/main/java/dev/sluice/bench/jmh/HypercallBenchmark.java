package dev.sluice.bench.jmh;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.Mapping;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import dev.sluice.models.spapr.Hypercall;
import dev.sluice.models.spapr.ReturnCode;
import dev.sluice.models.spapr.SpaprConfig;
import dev.sluice.models.spapr.SpaprIommu;
import dev.sluice.models.spapr.VirtualCpu;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// Hypercalls on TCEs, from the dispatch to the return or the resumption of the processor.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class HypercallBenchmark extends MeasuredThread {
  /// How many entries one round replaces, before they are used again.
  public static final int ENTRIES_OF_A_ROUND = 256;

  private static final int PAGE = 4096;
  private static final int HOT = 64;
  private static final int LONG_CALL = 512;
  private static final int RAM_BYTES = 8 << 20;
  private static final long LIOBN = 0x8000_0000L;
  private static final long LIST = 0x1000;
  private static final long PAGES = 0x40_0000;
  private static final long READ_WRITE = 3;

  /// A partition with a device, and a processor that calls.
  @State(Scope.Thread)
  public static class Partition implements VirtualCpu {
    final Mapping mapping;
    final DmaContext device;

    private final GuestMemory memory = new GuestMemory();
    private final SpaprIommu iommu = new SpaprIommu(SpaprConfig.DEFAULT, memory);
    private final long[] registers = new long[SpaprIommu.REGISTERS];
    private long resumptions;

    /// A partition of which nothing is mapped.
    public Partition() {
      RequesterId requester = RequesterId.of(0, 1, 0);
      memory.addRam(0, RamRegion.allocate(RAM_BYTES));
      iommu.attach(requester, iommu.addHostBridge(0));
      device = DmaContext.behind(iommu, memory, requester);
      device.revocation(Revocation.never());
      mapping = device.newMapping();
      for (int i = 0; i < LONG_CALL; i++) {
        memory.store(LIST + i * 8L, Long.BYTES, ByteOrder.BIG_ENDIAN, page(i, 0) | READ_WRITE);
      }
    }

    /// The guest-physical page that entry `i` leads to in its turn.
    static long page(int i, int turn) {
      return PAGES + (long) ((i + turn) & (LONG_CALL - 1)) * PAGE;
    }

    long call(long opcode, long ioba, long tce, long count) {
      registers[0] = LIOBN;
      registers[1] = ioba;
      registers[2] = tce;
      registers[3] = count;
      return iommu.hypercall(this, opcode, registers);
    }

    /// A call that must not wait.
    void callAndReturn(long opcode, long ioba, long tce, long count) {
      long returned = call(opcode, ioba, tce, count);
      if (returned != ReturnCode.H_SUCCESS) {
        throw new IllegalStateException("returned " + returned);
      }
    }

    void put(int entry, int turn) {
      callAndReturn(Hypercall.H_PUT_TCE, (long) entry * PAGE, page(entry, turn) | READ_WRITE, 0);
    }

    long drained() {
      return iommu.statistics().calls().drained();
    }

    /// The device uses an entry, so that its translation is cached.
    void use(int entry) {
      Outcome.require(device.check((long) entry * PAGE, 1, Access.READ_WRITE));
    }

    @Override
    public void halt() {}

    @Override
    public void resume(long returnCode) {
      resumptions++;
    }
  }

  /// H_PUT_TCE over entries that map a page and that nothing has used.
  @Benchmark
  public void putUnused(Bed bed, Partition partition) {
    for (int i = bed.operations; i > 0; i--) {
      partition.put(i & (HOT - 1), i);
    }
  }

  /// Entries that a device uses between the rounds. Neither that nor what it allocates counts.
  @State(Scope.Thread)
  public static class Rounds {
    private final Partition partition = new Partition();
    private int turn;
    private long drainedBefore;
    private long allocatedBefore;

    /// Has every entry of the round used.
    @Setup(Level.Invocation)
    public void begin() {
      turn++;
      for (int i = 0; i < ENTRIES_OF_A_ROUND; i++) {
        if (turn == 1) {
          partition.put(i, 0);
        }
        partition.use(i);
      }
      drainedBefore = partition.drained();
      allocatedBefore = MeasuredThread.allocatedSoFar();
    }

    /// Counts what the round allocated, and insists that each entry was in use.
    @TearDown(Level.Invocation)
    public void end() {
      MeasuredThread.countRound(
          MeasuredThread.allocatedSoFar() - allocatedBefore, ENTRIES_OF_A_ROUND);
      if (partition.drained() - drainedBefore != ENTRIES_OF_A_ROUND) {
        throw new IllegalStateException(
            "%d of the entries were in use".formatted(partition.drained() - drainedBefore));
      }
    }
  }

  /// H_PUT_TCE over entries whose translations a device has cached; nothing is in flight.
  @Benchmark
  @BenchmarkMode(Mode.SampleTime)
  public void putUsed(Rounds rounds) {
    for (int i = 0; i < ENTRIES_OF_A_ROUND; i++) {
      rounds.partition.put(i, rounds.turn);
    }
  }

  /// H_STUFF_TCE over 512 entries that nothing has used.
  @Benchmark
  public void stuff(Partition partition) {
    partition.callAndReturn(Hypercall.H_STUFF_TCE, 0, PAGES | READ_WRITE, LONG_CALL);
  }

  /// H_PUT_TCE_INDIRECT over 512 entries that nothing has used.
  @Benchmark
  public void putIndirect(Partition partition) {
    partition.callAndReturn(Hypercall.H_PUT_TCE_INDIRECT, 0, LIST, LONG_CALL);
  }

  /// A device maps a page and lets it go; then H_PUT_TCE takes it away.
  @Benchmark
  public void mapThenPut(Partition partition) {
    partition.put(0, 0);
    map(partition);
    partition.mapping.close();
    partition.callAndReturn(Hypercall.H_PUT_TCE, 0, 0, 0);
  }

  /// A device maps a page; H_PUT_TCE takes it away, and its processor is halted; the device lets
  /// the page go, and the processor is resumed.
  @Benchmark
  public long mapAndPut(Partition partition) {
    partition.put(0, 0);
    map(partition);
    long before = partition.resumptions;
    if (partition.call(Hypercall.H_PUT_TCE, 0, 0, 0) != ReturnCode.HALTED) {
      throw new IllegalStateException("not halted though a mapping is held");
    }
    partition.mapping.close();
    if (partition.resumptions != before + 1) {
      throw new IllegalStateException("not resumed once");
    }
    return before;
  }

  private static void map(Partition partition) {
    Outcome.require(partition.device.map(0, PAGE, Access.READ_WRITE, partition.mapping));
  }
}
