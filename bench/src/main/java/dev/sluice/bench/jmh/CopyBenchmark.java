package dev.sluice.bench.jmh;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// Bare copies by the JDK, with nothing of Sluice.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class CopyBenchmark extends MeasuredThread {

  /// What is copied.
  @State(Scope.Thread)
  public static class Memory {
    final MemorySegment memory = Arena.ofAuto().allocate((long) VtdMachine.PAGES << 12, 4096);
    final MemorySegment buffer = Arena.ofAuto().allocate(Device.BUFFER_BYTES, Device.CACHE_LINE);

    /// Touches every page.
    @Setup
    public void touch() {
      memory.fill((byte) 1);
      buffer.fill((byte) 1);
    }
  }

  /// Out of the memory; in C: `copy_in`.
  @Benchmark
  public long read(Bed bed, Memory memory) {
    MemorySegment from = memory.memory;
    MemorySegment to = memory.buffer;
    AddressStream stream = bed.stream;
    long step = stream.step();
    long mask = stream.mask();
    long bytes = bed.bytes;
    long at = 0;
    for (int i = bed.operations; i > 0; i--) {
      at = (at + step) & mask;
      MemorySegment.copy(from, at, to, 0, bytes);
    }
    return at;
  }

  /// Into the memory; in C: `copy_out`.
  @Benchmark
  public long write(Bed bed, Memory memory) {
    MemorySegment from = memory.buffer;
    MemorySegment to = memory.memory;
    AddressStream stream = bed.stream;
    long step = stream.step();
    long mask = stream.mask();
    long bytes = bed.bytes;
    long at = 0;
    for (int i = bed.operations; i > 0; i--) {
      at = (at + step) & mask;
      MemorySegment.copy(from, 0, to, at, bytes);
    }
    return at;
  }
}
