package dev.sluice.bench.jmh;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.MappedMemory;
import dev.sluice.dma.Mapping;
import dev.sluice.memory.Access;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// Mapping a page and letting it go, its translation cached.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class MappingBenchmark extends MeasuredThread {
  private static final int PAGE = 4096;

  /// A device that holds mappings all the time.
  @State(Scope.Thread)
  @SuppressWarnings("NullAway.Init") // JMH calls the setup.
  public static class MappingDevice {
    /// How many it holds.
    @Param("0")
    public int live;

    /// Whether all threads use one device.
    @Param("true")
    public boolean shared;

    private final Device device = new Device();
    private final List<Mapping> mappings = new ArrayList<>();

    /// What is opened and closed, again and again.
    private Mapping reused;

    /// Fills the IOTLB, and makes the mappings that are held, over all pages in turn.
    @Setup
    public void prepare(Bed bed, SharedDevice one) {
      device.shared = shared;
      device.prepare(bed, one);
      reused = device.context.newMapping();
      for (int i = 0; i < live; i++) {
        Mapping mapping = device.context.newMapping();
        map(device.context, VtdMachine.SMALL + (long) (i % VtdMachine.PAGES) * PAGE, mapping);
        mappings.add(mapping);
      }
    }

    /// Lets them go.
    @TearDown
    public void release() {
      mappings.forEach(Mapping::close);
    }
  }

  /// Maps and lets go, in turn.
  @Benchmark
  public long mapAndUnmap(Bed bed, MappingDevice device) {
    DmaContext context = device.device.context;
    AddressStream stream = bed.stream;
    long base = stream.base();
    long step = stream.step();
    long mask = stream.mask();
    Mapping mapping = device.reused;
    long sum = 0;
    long at = 0;
    for (int i = bed.operations; i > 0; i--) {
      at = (at + step) & mask;
      map(context, base + at, mapping);
      sum += mapping.length();
      mapping.close();
    }
    return sum;
  }

  /// Maps scattered pages as one run of bytes, changes one byte, and writes that back.
  @Benchmark
  public long bounce(Bed bed, MappingDevice device) {
    DmaContext context = device.device.context;
    AddressStream stream = bed.stream;
    long base = stream.base();
    long step = stream.step();
    long mask = stream.mask();
    long bytes = bed.bytes;
    long sum = 0;
    long at = 0;
    for (int i = bed.operations; i > 0; i--) {
      at = (at + step) & mask;
      if (!(context.mapWhole(base + at, bytes, Access.READ_WRITE) instanceof MappedMemory memory)) {
        throw new IllegalStateException("not mapped");
      }
      memory.store(0, 1, ByteOrder.LITTLE_ENDIAN, i);
      sum += memory.length();
      Outcome.require(memory.unmap());
    }
    return sum;
  }

  private static void map(DmaContext context, long iova, Mapping into) {
    Outcome.require(context.map(iova, PAGE, Access.READ_WRITE, into));
  }
}
