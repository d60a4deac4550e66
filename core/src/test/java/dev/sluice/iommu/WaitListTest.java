package dev.sluice.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// Who waits is told once, by whoever comes first.
class WaitListTest {
  private final WaitList list = new WaitList();
  private final List<String> events = new ArrayList<>();
  private boolean over;

  private void await(String name, WaitList.Ending ending) {
    Drain.start(drain -> drain.await(list, ending), () -> events.add(name));
  }

  @Test
  void nobodyWaitsAtFirst() {
    assertThat(list.isAwaited()).isFalse();
    list.wake();
  }

  @Test
  void aWakeBeforeTheEndTellsNobody() {
    await("a", () -> over);
    list.wake();
    assertThat(events).isEmpty();
    assertThat(list.isAwaited()).isTrue();
    over = true;
    list.wake();
    assertThat(events).containsExactly("a");
    assertThat(list.isAwaited()).isFalse();
    list.wake();
    assertThat(events).containsExactly("a");
  }

  @Test
  void onlyThoseWhoseEndingHasComeAreTold() {
    await("never", () -> false);
    await("a", () -> over);
    over = true;
    list.wake();
    assertThat(events).containsExactly("a");
    assertThat(list.isAwaited()).isTrue();
  }

  /// What ended did not see the waiter, who has to look itself.
  @Test
  void anEndThatOverlookedTheWaiterIsNoticedByTheWaiter() {
    Drain.start(
        drain -> {
          drain.await(list, () -> over);
          over = true; // without a look at the list
        },
        () -> events.add("a"));
    assertThat(events).containsExactly("a");
    assertThat(list.isAwaited()).isFalse();
  }

  @Test
  void aDrainOfSeveralEndsWithTheLast() {
    WaitList another = new WaitList();
    AtomicBoolean second = new AtomicBoolean();
    Drain.start(
        drain -> {
          drain.await(list, () -> over);
          drain.await(another, second::get);
        },
        () -> events.add("both"));
    over = true;
    list.wake();
    assertThat(events).isEmpty();
    second.set(true);
    another.wake();
    assertThat(events).containsExactly("both");
  }

  @Test
  void aDrainOfNothingEndsBeforeItsStartReturns() {
    Drain.start(_ -> {}, () -> events.add("done"));
    assertThat(events).containsExactly("done");
  }

  /// One thread ends something again and again as a section does: a write, a look, perhaps a wake.
  @Test
  void underLoadNobodyIsForgottenAndNobodyToldTwice() throws Exception {
    int rounds = 5_000;
    AtomicInteger ended = new AtomicInteger();
    AtomicInteger told = new AtomicInteger();
    AtomicBoolean stop = new AtomicBoolean();
    Thread ender =
        Thread.ofPlatform()
            .start(() -> {
              while (!stop.get()) {
                ended.setRelease(ended.getPlain() + 1);
                if (list.isAwaited()) {
                  list.wake();
                }
              }
            });
    for (int i = 0; i < rounds; i++) {
      int now = ended.get();
      Drain.start(drain -> drain.await(list, () -> ended.get() != now), told::incrementAndGet);
    }
    stop.set(true);
    ender.join();
    // Whoever came after the last end waits for one more.
    ended.incrementAndGet();
    list.wake();
    assertThat(told).hasValue(rounds);
    assertThat(list.isAwaited()).isFalse();
  }
}
