package dev.sluice.testkit.soak;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/// The soak fails when an invalidation is reported as complete and nothing was done for it.
class SoakFindsTest {
  private static final SoakPlan PLAN = SoakPlan.onAllCores(7, 2_000_000, 2_000);

  private static void assertFound(Predicate<Scope> leftOut) {
    assertThatThrownBy(() -> Soak.run(PLAN, memory -> new CarelessGuest(memory, leftOut)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("seed 0x7")
        .hasMessageContaining("device");
  }

  @Test
  void pagesThatWereNotInvalidated() {
    assertFound(scope -> scope instanceof Scope.Pages(int _, long _, int order) && order < 9);
  }

  @Test
  void aLargePageThatWasNotInvalidated() {
    assertFound(scope -> scope instanceof Scope.Pages(int _, long _, int order) && order == 9);
  }

  @Test
  void aBindingThatWasNotInvalidated() {
    assertFound(Scope.Binding.class::isInstance);
  }
}
