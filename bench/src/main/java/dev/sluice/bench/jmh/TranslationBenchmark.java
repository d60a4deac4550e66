package dev.sluice.bench.jmh;

import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Iotlb;
import dev.sluice.memory.Access;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;

/// Translations without the access behind them.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class TranslationBenchmark extends MeasuredThread {
  /// Known to the compiler, as it is where a device's reads ask.
  private static final int READ = Access.READ.rights();

  /// Independent translations that the IOTLB answers; in C: `hit`.
  @Benchmark
  public long hit(Bed bed, Device device) {
    Endpoint endpoint = device.context.endpoint();
    AddressStream stream = bed.stream;
    long base = stream.base();
    long step = stream.step();
    long mask = stream.mask();
    long sum = 0;
    long at = 0;
    for (int i = bed.operations; i > 0; i--) {
      at = (at + step) & mask;
      sum += cached(endpoint, base + at);
    }
    return sum;
  }

  /// Each address depends on the result before it; in C: `hit_latency`.
  @Benchmark
  public long hitLatency(Bed bed, Device device) {
    Endpoint endpoint = device.context.endpoint();
    AddressStream stream = bed.stream;
    long base = stream.base();
    long step = stream.step();
    long mask = stream.mask();
    long zero = bed.zero;
    long found = 0;
    long at = 0;
    for (int i = bed.operations; i > 0; i--) {
      at = (at + (found & zero) + step) & mask;
      found = cached(endpoint, base + at);
    }
    return found;
  }

  /// Independent walks by the model from the top table, of which no page is kept; in C: `walk`. The
  /// PDE-cache has the other table of last level of the two that take turns in one of its slots.
  @Benchmark
  public long walkFromTop(Bed bed, Device device) {
    Endpoint endpoint = device.context.endpoint();
    VtdMachine machine = bed.machine();
    Iotlb space = Objects.requireNonNull(endpoint.space());
    AddressStream stream = bed.stream;
    long base = stream.base();
    long step = stream.step();
    long mask = stream.mask();
    long sum = 0;
    long at = 0;
    for (int i = bed.operations; i > 0; i--) {
      at = (at + step) & mask;
      sum += walked(machine, endpoint, space, base + at + (i & 1) * VtdMachine.FAR);
    }
    return sum;
  }

  /// Each address depends on the walk before it; in C: `walk_latency`.
  @Benchmark
  public long walkFromTopLatency(Bed bed, Device device) {
    Endpoint endpoint = device.context.endpoint();
    VtdMachine machine = bed.machine();
    Iotlb space = Objects.requireNonNull(endpoint.space());
    AddressStream stream = bed.stream;
    long base = stream.base();
    long step = stream.step();
    long mask = stream.mask();
    long zero = bed.zero;
    long found = 0;
    long at = 0;
    for (int i = bed.operations; i > 0; i--) {
      at = (at + (found & zero) + step) & mask;
      found = walked(machine, endpoint, space, base + at + (i & 1) * VtdMachine.FAR);
    }
    return found;
  }

  /// Independent walks by the model from the tables that its PDE-cache knows; no page is kept.
  @Benchmark
  public long walk(Bed bed, Device device) {
    Endpoint endpoint = device.context.endpoint();
    VtdMachine machine = bed.machine();
    Iotlb space = Objects.requireNonNull(endpoint.space());
    AddressStream stream = bed.missingStream;
    long base = stream.base();
    long step = stream.step();
    long mask = stream.mask();
    long gap = stream.gap();
    long sum = 0;
    long at = 0;
    for (int i = bed.operations; i > 0; i--) {
      at = ((at | gap) + step) & mask;
      sum += walked(machine, endpoint, space, base + at);
    }
    return sum;
  }

  /// Each address depends on the walk before it.
  @Benchmark
  public long walkLatency(Bed bed, Device device) {
    Endpoint endpoint = device.context.endpoint();
    VtdMachine machine = bed.machine();
    Iotlb space = Objects.requireNonNull(endpoint.space());
    AddressStream stream = bed.missingStream;
    long base = stream.base();
    long step = stream.step();
    long mask = stream.mask();
    long gap = stream.gap();
    long zero = bed.zero;
    long found = 0;
    long at = 0;
    for (int i = bed.operations; i > 0; i--) {
      at = (((at + (found & zero)) | gap) + step) & mask;
      found = walked(machine, endpoint, space, base + at);
    }
    return found;
  }

  /// Independent translations that are not in the IOTLB: the look-up in vain, the walk, and the
  /// page is kept.
  @Benchmark
  public long miss(Bed bed, Device device) {
    Endpoint endpoint = device.context.endpoint();
    VtdMachine machine = bed.machine();
    Iotlb space = Objects.requireNonNull(endpoint.space());
    AddressStream stream = bed.missingStream;
    long base = stream.base();
    long step = stream.step();
    long mask = stream.mask();
    long gap = stream.gap();
    long sum = 0;
    long at = 0;
    for (int i = bed.operations; i > 0; i--) {
      at = ((at | gap) + step) & mask;
      sum += missed(machine, endpoint, space, base + at);
    }
    return sum;
  }

  /// Each address depends on the translation before it.
  @Benchmark
  public long missLatency(Bed bed, Device device) {
    Endpoint endpoint = device.context.endpoint();
    VtdMachine machine = bed.machine();
    Iotlb space = Objects.requireNonNull(endpoint.space());
    AddressStream stream = bed.missingStream;
    long base = stream.base();
    long step = stream.step();
    long mask = stream.mask();
    long gap = stream.gap();
    long zero = bed.zero;
    long found = 0;
    long at = 0;
    for (int i = bed.operations; i > 0; i--) {
      at = (((at + (found & zero)) | gap) + step) & mask;
      found = missed(machine, endpoint, space, base + at);
    }
    return found;
  }

  private static long cached(Endpoint endpoint, long iova) {
    long found = endpoint.cached(iova, READ);
    if (found == Iotlb.MISS) {
      throw new IllegalStateException("not cached: 0x" + Long.toHexString(iova));
    }
    return found;
  }

  private static long walked(VtdMachine machine, Endpoint endpoint, Iotlb space, long iova) {
    long page = machine.iommu().walk(endpoint, space, iova, Access.READ);
    if (page == Iotlb.MISS) {
      throw new IllegalStateException("not mapped: 0x" + Long.toHexString(iova));
    }
    return page;
  }

  private static long missed(VtdMachine machine, Endpoint endpoint, Iotlb space, long iova) {
    long found = endpoint.resolve(machine.iommu(), space, iova, Access.READ);
    if (found == Iotlb.MISS) {
      throw new IllegalStateException("not mapped: 0x" + Long.toHexString(iova));
    }
    return found;
  }
}
