package dev.sluice.bench;

import dev.sluice.bench.jmh.ThreadProfiler;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import java.util.regex.Pattern;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
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

  /// A job's numbers.
  ///
  /// @param iterations those that count, of all forks
  record Outcome(List<IterationResult> iterations) {
    /// The median of the iterations. A mean is of the time on a processor; a percentile, by the
    /// clock, leaves out by itself what others have disturbed.
    Score score(Statistic statistic) {
      return median(iteration ->
          switch (statistic) {
            case MEAN ->
                iteration.getPrimaryResult().getScore()
                    * secondary(iteration, ThreadProfiler.SHARE);
            case MEDIAN -> percentile(iteration, 50);
            case PERCENTILE_99 -> percentile(iteration, 99);
          });
    }

    /// Bytes that an operation allocates on its own thread.
    double bytesPerOp() {
      return median(
              iteration -> {
                double counted = secondary(iteration, ThreadProfiler.BYTES_PER_OPERATION);
                return Double.isNaN(counted)
                    ? secondary(iteration, ThreadProfiler.BYTES_PER_NANO)
                        * iteration.getPrimaryResult().getScore()
                    : counted;
              })
          .value();
    }

    private Score median(ToDoubleFunction<IterationResult> number) {
      return Score.of(iterations.stream().mapToDouble(number).toArray());
    }

    private static double percentile(IterationResult iteration, int percent) {
      return iteration.getPrimaryResult().getStatistics().getPercentile(percent);
    }

    private static double secondary(IterationResult iteration, String label) {
      return Objects.requireNonNull(iteration.getSecondaryResults().get(label), label).getScore();
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
            .addProfiler(ThreadProfiler.class)
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
    List<IterationResult> iterations = new ArrayList<>();
    for (BenchmarkResult fork : result.getBenchmarkResults()) {
      iterations.addAll(fork.getIterationResults());
    }
    return new Outcome(iterations);
  }
}
