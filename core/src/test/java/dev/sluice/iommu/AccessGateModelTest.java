package dev.sluice.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.iommu.AccessGateModel.Slip;
import dev.sluice.iommu.AccessGateModel.Verdict;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The gate in every order of steps. The model is not the class: `stress` tries the class itself.
class AccessGateModelTest {
  @Test
  void inNoOrderOfStepsDoesAWaitEndTooEarlyOrNever() {
    Verdict verdict = AccessGateModel.explore(2, 3);
    assertThat(verdict.tooEarly()).isFalse();
    assertThat(verdict.lost()).isFalse();
    assertThat(verdict.states()).isGreaterThan(10_000);
  }

  @ParameterizedTest
  @EnumSource(Slip.class)
  void everyLineOfTheProtocolIsNeeded(Slip slip) {
    Verdict verdict = AccessGateModel.explore(2, 3, slip);
    assertThat(verdict.tooEarly() || verdict.lost()).as(verdict.toString()).isTrue();
  }
}
