package dev.sluice.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.bench.Target.AtMost;
import dev.sluice.bench.Target.Within;
import java.util.List;
import org.junit.jupiter.api.Test;

class TableTest {
  private static final Score SCORE = new Score(3, 0.3);

  @Test
  void putsTheRatioAndTheVerdictBesideARow() {
    List<String> lines =
        Table.of(
            List.of(
                new Row("read", SCORE, 0, "C: memcpy", 2, 1.5, new AtMost(2.75)),
                new Row("write", new Score(120, 1), 24, "C: memcpy", 2, 60, new AtMost(1))));

    assertThat(words(lines.get(0))).isEqualTo("what ns +- B/op compared to ns ratio target");
    assertThat(words(lines.get(1))).isEqualTo("read 3.00 10% 0 C: memcpy 2.00 1.50x <= 2.75x met");
    assertThat(words(lines.get(2)))
        .isEqualTo("write 120 1% 24 C: memcpy 2.00 60.00x <= 1.00x missed");
    assertThat(lines.get(3)).isEqualTo("1 of 2 targets met; 1 of 2 rows allocate nothing");
  }

  @Test
  void namesARowOnceThoughItIsComparedTwice() {
    List<String> lines =
        Table.of(
            List.of(
                new Row("read", SCORE, 0, "C: memcpy", 2, 1.5, null),
                new Row("read", SCORE, 0, "copy", 3, 1, null)));

    assertThat(words(lines.get(2))).isEqualTo("copy 3.00 1.00x");
  }

  @Test
  void leavesOutTheRowsOfCAlone() {
    List<String> lines = Table.of(List.of(Row.ofC("C: memcpy", SCORE)));

    assertThat(lines).hasSize(2);
  }

  @Test
  void saysWhichTargetsNeedC() {
    List<String> lines =
        Table.of(
            List.of(
                new Row("read", SCORE, 0, "", Double.NaN, Double.NaN, new AtMost(1)),
                new Row("drain", SCORE, 0, "", Double.NaN, Double.NaN, new Within(50))));

    assertThat(words(lines.get(1))).isEqualTo("read 3.00 10% 0 <= 1.00x ?");
    assertThat(words(lines.get(2))).isEqualTo("drain 3.00 10% 0 <= 50 ns met");
    assertThat(lines.get(3)).startsWith("1 of 1 targets met, 1 not to be told without C;");
  }

  private static String words(String line) {
    return line.strip().replaceAll(" +", " ");
  }
}
