package dev.sluice.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.bench.Comparison.Alone;
import dev.sluice.bench.Comparison.Scaling;
import dev.sluice.bench.Comparison.WithC;
import dev.sluice.bench.Comparison.WithRow;
import dev.sluice.bench.Target.AtLeast;
import dev.sluice.bench.Target.AtMost;
import dev.sluice.bench.Target.Within;
import java.util.List;
import org.junit.jupiter.api.Test;

class ResultsTest {
  private static final CRow IN_C = CRow.of("hit", 64, "C: look-up");
  private static final Job JOB = Job.of("Some.benchmark", 1);

  private final Results results = new Results();

  @Test
  void aRatioToCIsMadeOfTheSamplesAroundTheRow() {
    Measurement one = Measurement.of("one", JOB, new WithC(IN_C, new AtMost(1.5)));
    Measurement two = Measurement.of("two", JOB, new WithC(IN_C, new AtMost(1.5)));
    results.add(one, IN_C, List.of(2.0));
    results.add(one, new Score(4, 0), 0);
    results.add(one, IN_C, List.of(4.0));
    results.add(two, IN_C, List.of(30.0));
    results.add(two, new Score(30, 0), 0);

    List<Row> rows = results.rows(List.of(one, two));

    assertThat(rows).extracting(Row::name).containsExactly("one", "two", "C: look-up");
    assertThat(rows.get(0).other()).isEqualTo(3);
    assertThat(rows.get(0).ratio()).isEqualTo(4 / 3.0);
    assertThat(rows.get(0).met()).isTrue();
    assertThat(rows.get(1).ratio()).isEqualTo(1);
    assertThat(rows.get(2).score().value()).as("all samples").isEqualTo(4);
    assertThat(rows.get(2).isC()).isTrue();
  }

  @Test
  void withoutCThereIsNoRatioAndNoVerdict() {
    Measurement one = Measurement.of("one", JOB, new WithC(IN_C, new AtMost(1.5)));
    results.add(one, new Score(4, 0), 16);

    assertThat(results.rows(List.of(one)))
        .singleElement()
        .satisfies(row -> {
          assertThat(row.comparedTo()).isEmpty();
          assertThat(row.ratio()).isNaN();
          assertThat(row.met()).isNull();
          assertThat(row.bytesPerOp()).isEqualTo(16);
        });
  }

  @Test
  void aRatioToAnotherRowIsTimeThroughTime() {
    Measurement one = Measurement.of("one", JOB, new Alone(null));
    Measurement two = Measurement.of("two", JOB, new WithRow("one", new AtMost(1.1)));
    results.add(one, new Score(10, 0), 0);
    results.add(two, new Score(12, 0), 0);

    Row row = results.rows(List.of(one, two)).get(1);

    assertThat(row.comparedTo()).isEqualTo("one");
    assertThat(row.ratio()).isEqualTo(1.2);
    assertThat(row.met()).isFalse();
  }

  @Test
  void scalingIsTheThroughputOfAllThreadsThroughThatOfOne() {
    Measurement one = Measurement.of("one", JOB, new Alone(null));
    Measurement two =
        Measurement.of("two", JOB.onThreads(2), new Scaling("one", new AtLeast(1.95)));
    results.add(one, new Score(10, 0), 0);
    results.add(two, new Score(12.5, 0), 0);

    Row row = results.rows(List.of(one, two)).get(1);

    assertThat(row.ratio()).isEqualTo(1.6);
    assertThat(row.met()).isFalse();
  }

  @Test
  void aTimeIsJudgedWithoutAnythingBesideIt() {
    Measurement fast = Measurement.of("fast", JOB, new Alone(new Within(50)));
    Measurement slow = Measurement.of("slow", JOB, new Alone(new Within(50)));
    results.add(fast, new Score(50, 0), 0);
    results.add(slow, new Score(51, 0), 0);

    assertThat(results.rows(List.of(fast, slow))).extracting(Row::met).containsExactly(true, false);
  }

  @Test
  void aRowIsThereOnceForEachComparison() {
    Measurement one = Measurement.of("one", JOB, new WithC(IN_C, null), new Alone(null));
    results.add(one, new Score(4, 0), 0);

    assertThat(results.rows(List.of(one))).extracting(Row::name).containsExactly("one", "one");
  }
}
