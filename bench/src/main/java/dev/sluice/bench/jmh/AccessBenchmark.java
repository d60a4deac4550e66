package dev.sluice.bench.jmh;

import dev.sluice.dma.DmaContext;
import dev.sluice.memory.Word;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;

/// Whole accesses by a device, translations cached.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class AccessBenchmark extends MeasuredThread {

  /// Loads 8 bytes.
  @Benchmark
  public long load(Bed bed, Device device) {
    DmaContext context = device.context;
    Word word = device.word;
    AddressStream stream = bed.stream;
    long base = stream.base();
    long step = stream.step();
    long mask = stream.mask();
    long sum = 0;
    long at = 0;
    for (int i = bed.operations; i > 0; i--) {
      at = (at + step) & mask;
      Outcome.require(context.load(base + at, Long.BYTES, ByteOrder.LITTLE_ENDIAN, word));
      sum += word.asLong();
    }
    return sum;
  }

  /// Loads 8 bytes whose translation is cached nowhere.
  @Benchmark
  public long loadMissed(Bed bed, Device device) {
    DmaContext context = device.context;
    Word word = device.word;
    AddressStream stream = bed.missingStream;
    long base = stream.base();
    long step = stream.step();
    long mask = stream.mask();
    long gap = stream.gap();
    long sum = 0;
    long at = 0;
    for (int i = bed.operations; i > 0; i--) {
      at = ((at | gap) + step) & mask;
      Outcome.require(context.load(base + at, Long.BYTES, ByteOrder.LITTLE_ENDIAN, word));
      sum += word.asLong();
    }
    return sum;
  }

  /// Guest memory to the device; in C: `read_translated`.
  @Benchmark
  public long read(Bed bed, Device device) {
    DmaContext context = device.context;
    MemorySegment buffer = device.buffer;
    AddressStream stream = bed.stream;
    long base = stream.base();
    long step = stream.step();
    long mask = stream.mask();
    long bytes = bed.bytes;
    long at = 0;
    for (int i = bed.operations; i > 0; i--) {
      at = (at + step) & mask;
      Outcome.require(context.read(base + at, buffer, 0, bytes));
    }
    return at;
  }

  /// The device to guest memory; in C: `write_translated`.
  @Benchmark
  public long write(Bed bed, Device device) {
    DmaContext context = device.context;
    MemorySegment buffer = device.buffer;
    AddressStream stream = bed.stream;
    long base = stream.base();
    long step = stream.step();
    long mask = stream.mask();
    long bytes = bed.bytes;
    long at = 0;
    for (int i = bed.operations; i > 0; i--) {
      at = (at + step) & mask;
      Outcome.require(context.write(base + at, buffer, 0, bytes));
    }
    return at;
  }

  /// Sets guest memory to zero; in C, without the translation: `zero`.
  @Benchmark
  public long zero(Bed bed, Device device) {
    DmaContext context = device.context;
    AddressStream stream = bed.stream;
    long base = stream.base();
    long step = stream.step();
    long mask = stream.mask();
    long bytes = bed.bytes;
    long at = 0;
    for (int i = bed.operations; i > 0; i--) {
      at = (at + step) & mask;
      Outcome.require(context.fill(base + at, bytes, (byte) 0));
    }
    return at;
  }
}
