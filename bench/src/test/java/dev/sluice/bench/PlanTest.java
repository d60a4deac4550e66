package dev.sluice.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.bench.Comparison.Scaling;
import dev.sluice.bench.Comparison.WithC;
import dev.sluice.bench.Comparison.WithRow;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PlanTest {
  private static final Effort ONCE = new Effort(0, 0, 1, 1, 1, 1, 1);

  @TempDir private Path folder;

  @Test
  void namesAreUnique() {
    assertThat(Plan.rows()).extracting(Measurement::name).doesNotHaveDuplicates();
  }

  @Test
  void aRowIsComparedToOneThatIsMeasuredBeforeIt() {
    List<String> names = Plan.rows().stream().map(Measurement::name).toList();
    for (Measurement measurement : Plan.rows()) {
      List<String> before = names.subList(0, names.indexOf(measurement.name()));
      for (Comparison comparison : measurement.comparisons()) {
        switch (comparison) {
          case WithRow(String row, _) -> assertThat(before).contains(row);
          case Scaling(String row, _) -> assertThat(before).contains(row);
          case WithC _, Comparison.Alone _ -> {}
        }
      }
    }
  }

  /// In this process and once: whether it runs, not how fast.
  @ParameterizedTest
  @MethodSource("jobs")
  void eachJobRuns(Job job) throws Exception {
    JmhRunner runner = new JmhRunner(ONCE, folder.resolve("jmh.log"));

    assertThat(runner.run(job).score(Statistic.MEDIAN).value()).isPositive();
  }

  static Stream<Job> jobs() {
    return Plan.rows().stream().map(Measurement::job).distinct();
  }

  /// Where there is a compiler. Without one there is nothing that a name could be unknown to.
  @Test
  void eachComparatorRuns() throws IOException, InterruptedException {
    Optional<CCompiler> compiler = CCompiler.find(System.getenv("PATH"));
    if (compiler.isPresent()) {
      Comparators comparators = new Comparators(compiler.get().compile(folder));
      for (CRow row : inC()) {
        assertThat(comparators.run(row, 2, 1)).as(row.title()).hasSize(2);
      }
    }
  }

  private static List<CRow> inC() {
    return Plan.rows().stream()
        .flatMap(measurement -> measurement.comparisons().stream())
        .filter(WithC.class::isInstance)
        .map(comparison -> ((WithC) comparison).row())
        .distinct()
        .toList();
  }
}
