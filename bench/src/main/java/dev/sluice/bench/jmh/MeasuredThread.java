package dev.sluice.bench.jmh;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.LongAdder;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// What an iteration takes of its threads: the part of the time that they were on a processor (what
/// a busy machine gives to others is no cost of the benchmark), and what they allocate (other
/// threads', and JMH's around them, is none either). [ThreadProfiler] makes results of it.
@State(Scope.Thread)
public abstract class MeasuredThread {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final LongAdder PROCESSOR_NANOS = new LongAdder();
  private static final LongAdder CLOCK_NANOS = new LongAdder();
  private static final LongAdder ALLOCATED_BYTES = new LongAdder();
  private static final LongAdder ROUND_BYTES = new LongAdder();
  private static final LongAdder ROUND_OPERATIONS = new LongAdder();

  private long processorBefore;
  private long clockBefore;
  private long allocatedBefore;

  MeasuredThread() {}

  /// On the thread of the iteration, right before it.
  @Setup(Level.Iteration)
  public void beginIteration() {
    allocatedBefore = THREADS.getCurrentThreadAllocatedBytes();
    clockBefore = System.nanoTime();
    processorBefore = THREADS.getCurrentThreadCpuTime();
  }

  /// On the thread of the iteration, right after it.
  @TearDown(Level.Iteration)
  public void endIteration() {
    PROCESSOR_NANOS.add(THREADS.getCurrentThreadCpuTime() - processorBefore);
    CLOCK_NANOS.add(System.nanoTime() - clockBefore);
    ALLOCATED_BYTES.add(THREADS.getCurrentThreadAllocatedBytes() - allocatedBefore);
  }

  /// Before the iterations of all threads.
  static void forget() {
    PROCESSOR_NANOS.reset();
    CLOCK_NANOS.reset();
    ALLOCATED_BYTES.reset();
    ROUND_BYTES.reset();
    ROUND_OPERATIONS.reset();
  }

  /// What this thread has allocated so far.
  static long allocatedSoFar() {
    return THREADS.getCurrentThreadAllocatedBytes();
  }

  /// Where rounds are prepared in between: what one of them allocated.
  static void countRound(long bytes, long operations) {
    ROUND_BYTES.add(bytes);
    ROUND_OPERATIONS.add(operations);
  }

  /// After the iterations of all threads: the part of their time on a processor, from 0 to 1.
  static double share() {
    return PROCESSOR_NANOS.doubleValue() / CLOCK_NANOS.doubleValue();
  }

  /// After the iterations of all threads: bytes that they allocated in a nanosecond of a thread.
  static double bytesPerNano() {
    return ALLOCATED_BYTES.doubleValue() / CLOCK_NANOS.doubleValue();
  }

  /// After the iterations of all threads: bytes of an operation of the rounds that were counted;
  /// NaN if none was.
  static double bytesPerOperation() {
    return ROUND_BYTES.doubleValue() / ROUND_OPERATIONS.doubleValue();
  }
}
