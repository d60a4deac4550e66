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
public class MappingBenchmark {
  private static final int PAGE = 4096;

  /// Mappings that the device holds all the time.
  @State(Scope.Thread)
  public static class Held {
    /// How many.
    @Param("0")
    public int live;

    private final List<Mapping> mappings = new ArrayList<>();

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
    @Setup
    public void hold(Device device) {
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
  public long mapAndUnmap(Bed bed, Device device, Held held) {
    DmaContext context = device.context;
    Mapping mapping = held.reused(context);
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
