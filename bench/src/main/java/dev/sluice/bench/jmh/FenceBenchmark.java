package dev.sluice.bench.jmh;

import java.lang.invoke.VarHandle;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;

/// What an access that changes memory cannot do without.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class FenceBenchmark extends MeasuredThread {
  private long state;

  /// A store that every processor sees before what follows is read, and its undoing.
  @Benchmark
  public long enterAndLeave(Bed bed) {
    long sum = 0;
    for (int i = bed.operations; i > 0; i--) {
      state = i;
      VarHandle.fullFence();
      sum += state;
      state = 0;
    }
    return sum;
  }
}
