package dev.sluice.bench;

import dev.sluice.dma.Mapping;
import dev.sluice.iommu.Invalidation;
import dev.sluice.memory.Access;
import dev.sluice.memory.Word;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// Mappings, misses and invalidations.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class DrainBenchmark {
  private static final int PAGES = 64;

  private final Word word = new Word();
  private final AtomicLong counter = new AtomicLong();
  private final VtdSetup setup = new VtdSetup();
  private final Mapping mapping = setup.translated.newMapping();
  private final Runnable completed = this::complete;
  private int at;
  private long completions;

  /// Fills the IOTLB.
  @Setup
  public void fill() {
    for (int i = 0; i < PAGES; i++) {
      load(i);
    }
  }

  private void complete() {
    completions++;
  }

  private int next() {
    at += 0x9E37_79B1;
    return (at >>> 8) & (PAGES - 1);
  }

  private void load(int page) {
    long iova = VtdSetup.IOVA + ((long) page << 12);
    VtdSetup.require(setup.translated.load(iova, 8, ByteOrder.LITTLE_ENDIAN, word));
  }

  /// Maps a page that is cached, and lets it go.
  @Benchmark
  public long mapUnmap() {
    VtdSetup.require(
        setup.translated.map(
            VtdSetup.IOVA + ((long) next() << 12), 4096, Access.READ_WRITE, mapping));
    mapping.close();
    return mapping.length();
  }

  /// An atomic increment and decrement, the least that counting users costs.
  @Benchmark
  public long atomicPair() {
    counter.getAndIncrement();
    return counter.getAndDecrement();
  }

  /// Invalidates one page and completes; nothing is in flight.
  @Benchmark
  public long invalidatePage() {
    long iova = VtdSetup.IOVA + ((long) next() << 12);
    setup
        .iommu
        .invalidator()
        .invalidate(VtdSetup.tag(), iova, iova + 4095, completed);
    return completions;
  }

  /// Invalidates one page and loads from it again: a miss with warm tables.
  @Benchmark
  public long invalidatePageAndMiss() {
    int page = next();
    long iova = VtdSetup.IOVA + ((long) page << 12);
    setup
        .iommu
        .invalidator()
        .invalidate(VtdSetup.tag(), iova, iova + 4095, completed);
    load(page);
    return word.asLong();
  }

  /// Invalidates everything that is cached and completes.
  @Benchmark
  public long invalidateAll() {
    setup.iommu.invalidator().invalidate(Invalidation.ofTranslations(), completed);
    return completions;
  }
}
