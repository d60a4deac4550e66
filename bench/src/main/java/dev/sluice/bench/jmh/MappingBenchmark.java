package dev.sluice.bench.jmh;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.Mapping;
import dev.sluice.memory.Access;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
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
  public static class MappingDevice {
    /// How many it holds.
    @Param("0")
    public int live;

    /// Whether all threads use one device.
    @Param("true")
    public boolean shared;

    private final Device device = new Device();
    private final List<Mapping> mappings = new ArrayList<>();

<<<<<<< HEAD
    private @Nullable Mapping reused;

    /// The one that is opened again and again.
    Mapping reused(DmaContext context) {
      Mapping made = reused;
      if (made == null) {
        made = context.newMapping();
        reused = made;
      }
      return made;
    }

    /// Makes them, over all pages in turn.
=======
    /// Fills the IOTLB, and makes the mappings that are held, over all pages in turn.
>>>>>>> main
    @Setup
    public void prepare(Bed bed, SharedDevice one) {
      device.shared = shared;
      device.prepare(bed, one);
      for (int i = 0; i < live; i++) {
        mappings.add(map(device.context, VtdMachine.SMALL + (long) (i % VtdMachine.PAGES) * PAGE));
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
<<<<<<< HEAD
  public long mapAndUnmap(Bed bed, Device device, Held held) {
    DmaContext context = device.context;
    Mapping mapping = held.reused(context);
=======
  public long mapAndUnmap(Bed bed, MappingDevice device) {
    DmaContext context = device.device.context;
>>>>>>> main
    AddressStream stream = bed.stream;
    long base = stream.base();
    long step = stream.step();
    long mask = stream.mask();
    long sum = 0;
    long at = 0;
    for (int i = bed.operations; i > 0; i--) {
      at = (at + step) & mask;
      if (context.map(base + at, PAGE, Access.READ_WRITE, mapping) != null) {
        throw new IllegalStateException("not mapped: 0x" + Long.toHexString(base + at));
      }
      sum += mapping.length();
      mapping.close();
    }
    return sum;
  }

  private static Mapping map(DmaContext context, long iova) {
    if (context.map(iova, PAGE, Access.READ_WRITE) instanceof Mapping mapping) {
      return mapping;
    }
    throw new IllegalStateException("not mapped: 0x" + Long.toHexString(iova));
  }
}
