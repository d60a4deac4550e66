package dev.sluice.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/// Runs jobs by JMH, in processes of their own.
///
/// @param effort how long
/// @param log what JMH and the processes say goes there, of the last job
record JmhRunner(Effort effort, Path log) {
  private static final String PACKAGE = "dev.sluice.bench.jmh.";

  /// By which label the allocation profiler gives bytes of an operation.
  private static final String ALLOCATED = "gc.alloc.rate.norm";

  /// The same of the measured thread and within the measured time alone, where a benchmark counts
  /// it: see `OwnAllocation`.
  private static final String OWN_BYTES = "allocatedBytes";

  private static final String OWN_OPERATIONS = "countedOperations";

  /// A job's numbers.
  ///
  /// @param iterations those that count, of all forks
  /// @param bytesPerOp allocated by an operation
  record Outcome(List<Result<?>> iterations, double bytesPerOp) {
    /// The median of the iterations.
    Score score(Statistic statistic) {
      return Score.of(
          iterations.stream()
              .mapToDouble(iteration ->
                  switch (statistic) {
                    case MEAN -> iteration.getScore();
                    case MEDIAN -> iteration.getStatistics().getPercentile(50);
                    case PERCENTILE_99 -> iteration.getStatistics().getPercentile(99);
                  })
              .toArray());
    }
  }

  /// Runs a job.
  ///
  /// @throws RunnerException if it failed; the log says more
  Outcome run(Job job) throws RunnerException {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include("^" + Pattern.quote(PACKAGE + job.benchmark()) + "$")
            .threads(job.threads())
            .operationsPerInvocation(job.operations())
            .addProfiler(GCProfiler.class)
            .verbosity(VerboseMode.NORMAL)
            .output(log.toString())
            .shouldFailOnError(true)
            // As the launcher starts Sluice.
            .jvmArgsAppend("--enable-native-access=ALL-UNNAMED", "-XX:+UseParallelGC")
            .forks(effort.forks())
            .warmupIterations(effort.warmups())
            .warmupTime(TimeValue.milliseconds(effort.warmupMillis()))
            .measurementIterations(effort.iterations())
            .measurementTime(TimeValue.milliseconds(effort.millis()));
    for (Map.Entry<String, String> parameter : job.parameters().entrySet()) {
      options.param(parameter.getKey(), parameter.getValue());
    }
    RunResult result = new Runner(options.build()).runSingle();
    List<Result<?>> iterations = new ArrayList<>();
    for (BenchmarkResult fork : result.getBenchmarkResults()) {
      for (IterationResult iteration : fork.getIterationResults()) {
        iterations.add(iteration.getPrimaryResult());
      }
    }
    return new Outcome(iterations, bytesPerOp(result.getSecondaryResults()));
  }

  @SuppressWarnings("rawtypes")
  private static double bytesPerOp(Map<String, Result> results) {
    Result<?> own = results.get(OWN_BYTES);
    Result<?> operations = results.get(OWN_OPERATIONS);
    if (own != null && operations != null) {
      return own.getScore() / operations.getScore();
    }
    Result<?> allocated = results.get(ALLOCATED);
    return allocated == null ? 0 : allocated.getScore();
  }
}
