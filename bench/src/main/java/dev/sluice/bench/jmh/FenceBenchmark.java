package dev.sluice.bench.jmh;

import java.lang.invoke.MethodHandles;
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
  private static final VarHandle STATE;

  static {
    try {
      STATE = MethodHandles.lookup().findVarHandle(FenceBenchmark.class, "state", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  @SuppressWarnings("unused") // by STATE
  private long state;

  /// A store that every processor sees before what follows is read, and its undoing. Read with
  /// acquire order: of fences with nothing but plain reads between them HotSpot keeps the last.
  @Benchmark
  public long enterAndLeave(Bed bed) {
    long sum = 0;
    for (int i = bed.operations; i > 0; i--) {
      STATE.set(this, (long) i);
      VarHandle.fullFence();
      sum += (long) STATE.getAcquire(this);
      STATE.setRelease(this, 0L);
    }
    return sum;
  }
}
