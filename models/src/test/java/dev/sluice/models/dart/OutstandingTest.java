package dev.sluice.models.dart;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.models.registers.ModelLock;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class OutstandingTest {
  private final ModelLock lock = new ModelLock();
  private final List<String> begun = new ArrayList<>();
  private final List<Runnable> completions = new ArrayList<>();
  private int ended;

  private final Outstanding<String> outstanding =
      new Outstanding<>(
          lock,
          (request, completed) -> {
            begun.add(request);
            completions.add(completed);
          },
          (one, other) -> one + other,
          () -> ended++);

  private void add(String request) {
    lock.run(() -> outstanding.add(request));
  }

  private boolean isQuiet() {
    return lock.call(outstanding::isQuiet);
  }

  private List<String> pending() {
    List<String> all = new ArrayList<>();
    lock.run(() -> outstanding.forEach(all::add));
    return all;
  }

  @Test
  void eachBeginsAtOnceAndEndsByItself() {
    add("a");
    add("b");
    assertThat(begun).containsExactly("a", "b");
    assertThat(pending()).containsExactly("a", "b");
    completions.get(1).run();
    assertThat(pending()).containsExactly("a");
    assertThat(isQuiet()).isFalse();
    completions.get(0).run();
    assertThat(pending()).isEmpty();
    assertThat(isQuiet()).isTrue();
    assertThat(ended).isEqualTo(2);
  }

  @Test
  void whatIsTooMuchIsMergedAndBeginsWhenThereIsRoom() {
    for (int i = 0; i < Outstanding.MAX_UNDER_WAY; i++) {
      add("x");
    }
    add("a");
    add("b");
    add("c");
    assertThat(begun).hasSize(Outstanding.MAX_UNDER_WAY);
    assertThat(pending()).hasSize(Outstanding.MAX_UNDER_WAY + 1).endsWith("abc");
    completions.get(0).run();
    assertThat(begun).hasSize(Outstanding.MAX_UNDER_WAY + 1).endsWith("abc");
    List.copyOf(completions).subList(1, completions.size()).forEach(Runnable::run);
    assertThat(isQuiet()).isTrue();
    assertThat(begun).hasSize(Outstanding.MAX_UNDER_WAY + 1);
  }

  @Test
  void whatBeganBeforeAResetHasNothingToReport() {
    add("a");
    lock.run(outstanding::reset);
    assertThat(isQuiet()).isTrue();
    add("a");
    completions.get(0).run();
    assertThat(isQuiet()).isFalse();
    assertThat(ended).isZero();
    completions.get(1).run();
    assertThat(isQuiet()).isTrue();
    assertThat(ended).isEqualTo(1);
  }

  @Test
  void resetsBehindAMappingPileNothingUp() {
    for (int i = 0; i < 1000; i++) {
      add("a");
      lock.run(outstanding::reset);
    }
    assertThat(begun).hasSize(Outstanding.MAX_UNDER_WAY);
    add("b");
    assertThat(isQuiet()).isFalse();
    assertThat(pending()).containsExactly("b");
    completions.get(0).run();
    assertThat(begun).hasSize(Outstanding.MAX_UNDER_WAY + 1).endsWith("b");
    assertThat(isQuiet()).isFalse();
    assertThat(ended).isZero();
    completions.getLast().run();
    assertThat(isQuiet()).isTrue();
    assertThat(ended).isEqualTo(1);
    List.copyOf(completions).subList(1, Outstanding.MAX_UNDER_WAY).forEach(Runnable::run);
    assertThat(ended).isEqualTo(1);
  }

  @Test
  void oneThatIsAskedForWheneverOneEndsTakesNoStack() {
    int[] left = {100_000};
    List<Runnable> held = new ArrayList<>();
    List<Outstanding<String>> self = new ArrayList<>();
    Outstanding<String> busy =
        new Outstanding<>(
            lock,
            (request, completed) -> {
              if (request.equals("held")) {
                held.add(completed);
                return;
              }
              // Another processor asks while this one is full.
              if (left[0]-- > 0) {
                lock.run(() -> self.getFirst().add("again"));
              }
              completed.run();
            },
            (one, _) -> one,
            () -> {});
    self.add(busy);
    for (int i = 0; i < Outstanding.MAX_UNDER_WAY; i++) {
      lock.run(() -> busy.add("held"));
    }
    lock.run(() -> busy.add("again"));
    held.getFirst().run();
    assertThat(left[0]).isEqualTo(-1);
    held.subList(1, held.size()).forEach(Runnable::run);
    assertThat(lock.call(busy::isQuiet)).isTrue();
  }
}
