package dev.sluice.bench.jmh;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// What the measured thread allocates in a round alone: JMH's own profiler would count in the
/// filling of the cache before it. The names of the public fields are the labels of the results.
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.EVENTS)
public class OwnAllocation {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /// Bytes in an iteration.
  public long allocatedBytes;

  /// Operations in an iteration.
  public long countedOperations;

  private long before;

  /// The cache is full, the round begins.
  @Setup(Level.Invocation)
  public void begin(InvalidationBenchmark.Refilled refilled) {
    before = THREADS.getCurrentThreadAllocatedBytes();
  }

  /// The round has ended.
  @TearDown(Level.Invocation)
  public void end() {
    allocatedBytes += THREADS.getCurrentThreadAllocatedBytes() - before;
  }

  void operations(int count) {
    countedOperations += count;
  }
}
