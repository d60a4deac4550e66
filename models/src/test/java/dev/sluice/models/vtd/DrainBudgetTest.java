package dev.sluice.models.vtd;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DrainBudgetTest {
  private final List<Runnable> drains = new ArrayList<>();
  private final List<String> said = new ArrayList<>();
  private final DrainBudget budget = new DrainBudget(() -> said.add("room"));

  private void begin(String name) {
    budget.begin(drains::add, () -> said.add(name));
  }

  private void fill() {
    for (int i = 0; i < DrainBudget.MAX_OF_ALL; i++) {
      begin("some");
    }
  }

  @Test
  void whatFindsNoRoomBeginsInItsTurn() {
    fill();
    begin("first");
    begin("second");
    assertThat(drains).hasSize(DrainBudget.MAX_OF_ALL);
    drains.removeFirst().run();
    assertThat(drains).hasSize(DrainBudget.MAX_OF_ALL);
    drains.removeLast().run();
    assertThat(said).containsExactly("some", "first");
    assertThat(budget.size()).isEqualTo(DrainBudget.MAX_OF_ALL);
  }

  @Test
  void aResetForgetsWhatHasNoRoom() {
    fill();
    begin("forgotten");
    budget.reset();
    drains.forEach(Runnable::run);
    assertThat(said).doesNotContain("forgotten").contains("room");
    assertThat(budget.size()).isZero();
  }

  @Test
  void theQueueIsToldOnceWhenThereIsRoomForIt() {
    fill();
    assertThat(budget.hasRoomForQueue()).isFalse();
    for (int i = 0; i < DrainBudget.MAX_OF_ALL - DrainBudget.MAX_OF_QUEUE; i++) {
      drains.removeLast().run();
    }
    assertThat(budget.hasRoomForQueue()).isFalse();
    assertThat(said).doesNotContain("room");
    drains.removeLast().run();
    assertThat(budget.hasRoomForQueue()).isTrue();
    assertThat(said).endsWith("some", "room");
    drains.removeLast().run();
    assertThat(said.stream().filter("room"::equals)).hasSize(1);
  }
}
