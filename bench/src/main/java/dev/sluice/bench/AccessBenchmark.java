package dev.sluice.bench;

import dev.sluice.memory.Word;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// Loads and copies whose translations are cached. The pages are visited in golden-ratio order.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class AccessBenchmark {
  /// How many pages the accesses go round.
  @Param({"1", "64", "4096"})
  public int pages;

  private final Word word = new Word();
  private final VtdSetup setup = new VtdSetup();
  private final MemorySegment buffer = Arena.ofAuto().allocate(64 << 10, 64);
  private final MemorySegment plain =
      Arena.ofAuto().allocate((long) VtdSetup.MAX_PAGES << 12, 4096);
  private int at;

  /// Fills the IOTLB.
  @Setup
  public void fill() {
    for (int i = 0; i < pages; i++) {
      VtdSetup.require(setup.translated.read(VtdSetup.IOVA + ((long) i << 12), buffer, 0, 8));
    }
  }

  private int next() {
    at += 0x9E37_79B1;
    return (at >>> 8) & (pages - 1);
  }

  /// An 8-byte load behind the IOMMU.
  @Benchmark
  public long load8() {
    long iova = VtdSetup.IOVA + ((long) next() << 12);
    VtdSetup.require(setup.translated.load(iova, 8, ByteOrder.LITTLE_ENDIAN, word));
    return word.asLong();
  }

  /// The same without an IOMMU.
  @Benchmark
  public long load8Direct() {
    long address = VtdSetup.physical(next());
    VtdSetup.require(setup.direct.load(address, 8, ByteOrder.LITTLE_ENDIAN, word));
    return word.asLong();
  }

  /// 64 bytes out of guest memory behind the IOMMU.
  @Benchmark
  public void read64() {
    VtdSetup.require(setup.translated.read(VtdSetup.IOVA + ((long) next() << 12), buffer, 0, 64));
  }

  /// A bare copy of 64 bytes.
  @Benchmark
  public void read64Copy() {
    MemorySegment.copy(plain, (long) next() << 12, buffer, 0, 64);
  }

  /// 4 KiB out of guest memory behind the IOMMU.
  @Benchmark
  public void read4096() {
    VtdSetup.require(setup.translated.read(VtdSetup.IOVA + ((long) next() << 12), buffer, 0, 4096));
  }

  /// A bare copy of 4 KiB.
  @Benchmark
  public void read4096Copy() {
    MemorySegment.copy(plain, (long) next() << 12, buffer, 0, 4096);
  }

  /// 64 bytes into guest memory behind the IOMMU.
  @Benchmark
  public void write64() {
    VtdSetup.require(setup.translated.write(VtdSetup.IOVA + ((long) next() << 12), buffer, 0, 64));
  }

  /// A bare copy of 64 bytes, the other way.
  @Benchmark
  public void write64Copy() {
    MemorySegment.copy(buffer, 0, plain, (long) next() << 12, 64);
  }
}
