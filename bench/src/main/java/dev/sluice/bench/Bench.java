package dev.sluice.bench;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.runner.RunnerException;

/// One run through the table: each job between two halves of the samples of what it is compared to
/// in C.
final class Bench {
  private final JmhRunner jmh;
  private final Effort effort;
  private final @Nullable Comparators comparators;
  private final Consumer<String> progress;

  /// @param comparators null without a C compiler
  /// @param progress is told what is measured next
  Bench(
      JmhRunner jmh, Effort effort, @Nullable Comparators comparators, Consumer<String> progress) {
    this.jmh = jmh;
    this.effort = effort;
    this.comparators = comparators;
    this.progress = progress;
  }

  /// Measures everything.
  List<Row> run(List<Measurement> plan) throws RunnerException, IOException, InterruptedException {
    Results results = new Results();
    Map<Job, JmhRunner.Outcome> done = new LinkedHashMap<>();
    for (int i = 0; i < plan.size(); i++) {
      Measurement measurement = plan.get(i);
      progress.accept("%d of %d: %s".formatted(i + 1, plan.size(), measurement.name()));
      JmhRunner.Outcome outcome = done.get(measurement.job());
      if (outcome == null) {
        inC(measurement, results);
        outcome = jmh.run(measurement.job());
        inC(measurement, results);
        done.put(measurement.job(), outcome);
      }
      results.add(measurement, outcome.score(measurement.statistic()), outcome.bytesPerOp());
    }
    return results.rows(plan);
  }

  private void inC(Measurement measurement, Results results)
      throws IOException, InterruptedException {
    if (comparators == null) {
      return;
    }
    for (Comparison comparison : measurement.comparisons()) {
      if (comparison instanceof Comparison.WithC(CRow row, _)) {
        results.add(
            measurement, row, comparators.run(row, effort.samples(), effort.sampleMillis()));
      }
    }
  }
}
