package dev.sluice.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class ScoreTest {
  @Test
  void isTheMedianAndHalfTheDistanceOfTheQuartiles() {
    assertThat(Score.of(5, 1, 4, 2, 3)).isEqualTo(new Score(3, 1));
  }

  @Test
  void liesBetweenTheTwoInTheMiddle() {
    assertThat(Score.of(1, 2).value()).isEqualTo(1.5);
  }

  @Test
  void oneSampleHasNoError() {
    assertThat(Score.of(7)).isEqualTo(new Score(7, 0));
  }

  @Test
  void oneDisturbedSampleDoesNotMoveIt() {
    assertThat(Score.of(2, 2, 2, 2, 1_000_000)).isEqualTo(new Score(2, 0));
  }

  @Test
  void leavesTheSamplesAlone() {
    double[] samples = {3, 1, 2};
    Score.of(samples);
    assertThat(samples).containsExactly(3, 1, 2);
  }

  @Test
  void needsASample() {
    assertThatIllegalArgumentException().isThrownBy(Score::of);
  }
}
