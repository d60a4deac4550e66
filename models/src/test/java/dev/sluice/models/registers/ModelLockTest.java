package dev.sluice.models.registers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ModelLockTest {
  private final ModelLock lock = new ModelLock();
  private final List<String> order = new ArrayList<>();

  private static Runnable failing(String message) {
    return () -> {
      throw new IllegalStateException(message);
    };
  }

  @Test
  void deferredWorkRunsInOrderWithoutTheLock() {
    lock.run(() -> {
      lock.defer(() -> {
        assertThatIllegalStateException().isThrownBy(lock::mustBeHeld);
        order.add("first");
      });
      lock.run(() -> lock.defer(() -> order.add("second")));
      order.add("held");
    });
    assertThat(order).containsExactly("held", "first", "second");
  }

  @Test
  void workIsDeferredByWhoHoldsTheLockOnly() {
    assertThatIllegalStateException().isThrownBy(() -> lock.defer(() -> {}));
  }

  @Test
  void theResultIsThatOfTheChange() {
    assertThat(lock.call(() -> "result")).isEqualTo("result");
  }

  @Test
  void aFailedChangeLetsGoOfTheLockAndDropsWhatItDeferred() {
    assertThatIllegalStateException()
        .isThrownBy(() ->
            lock.run(() -> {
              lock.defer(() -> order.add("dropped"));
              throw new IllegalStateException("defect");
            }))
        .withMessage("defect");
    assertThatIllegalStateException().isThrownBy(lock::mustBeHeld);
    lock.run(() -> lock.defer(() -> order.add("kept")));
    assertThat(order).containsExactly("kept");
  }

  @Test
  void oneFailureOfDeferredWorkDoesNotKeepTheRestFromRunning() {
    assertThatIllegalStateException()
        .isThrownBy(() ->
            lock.run(() -> {
              lock.defer(failing("one"));
              lock.defer(() -> order.add("ran"));
              lock.defer(failing("two"));
            }))
        .withMessage("one")
        .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
    assertThat(order).containsExactly("ran");
  }
}
