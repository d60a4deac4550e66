package dev.sluice.bench.jmh;

import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;

/// Adds to each iteration's results what [MeasuredThread] has found. JMH makes it in the measured
/// process.
public final class ThreadProfiler implements InternalProfiler {
  /// The label of the part of the time on a processor, from 0 to 1.
  public static final String SHARE = "thread.processor.share";

  /// The label of the bytes allocated in a nanosecond.
  public static final String BYTES_PER_NANO = "thread.alloc.rate";

  /// The label of the bytes allocated by an operation, where rounds are counted; else NaN.
  public static final String BYTES_PER_OPERATION = "thread.alloc.round";

  /// For JMH.
  public ThreadProfiler() {}

  @Override
  public String getDescription() {
    return "processor and allocation of the benchmark's threads";
  }

  @Override
  public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
    MeasuredThread.forget();
  }

  @Override
  @SuppressWarnings("rawtypes")
  public Collection<? extends Result> afterIteration(
      BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
    return List.of(
        new ScalarResult(SHARE, MeasuredThread.share(), "of 1", AggregationPolicy.AVG),
        new ScalarResult(
            BYTES_PER_NANO, MeasuredThread.bytesPerNano(), "B/ns", AggregationPolicy.AVG),
        new ScalarResult(
            BYTES_PER_OPERATION,
            MeasuredThread.bytesPerOperation(),
            "B/op",
            AggregationPolicy.AVG));
  }
}
