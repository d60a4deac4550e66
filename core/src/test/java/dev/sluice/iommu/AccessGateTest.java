package dev.sluice.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// Whom a waiter waits for. The races are in the `stress` module.
class AccessGateTest {
  private final AccessGate gate = new AccessGate();
  private final List<String> events = new ArrayList<>();

  private void await(String name) {
    gate.await(() -> events.add(name));
  }

  @Test
  void anIdleGateIsQuiescentAtOnce() {
    await("a");
    assertThat(events).containsExactly("a");
  }

  @Test
  void aWaiterIsToldWhenTheLastOfTheOpenSectionsEnds() {
    int one = gate.enter();
    int two = gate.enter();
    await("a");
    gate.leave(one);
    assertThat(events).isEmpty();
    gate.leave(two);
    assertThat(events).containsExactly("a");
  }

  @Test
  void sectionsThatBeganLaterAreNotWaitedFor() {
    int before = gate.enter();
    await("a");
    int after = gate.enter();
    gate.leave(before);
    assertThat(events).containsExactly("a");
    gate.leave(after);
  }

  @Test
  void sectionsThatNeverPauseDoNotStarveAWaiter() {
    int open = gate.enter();
    for (int i = 0; i < 1000; i++) {
      await("a" + i);
      int next = gate.enter();
      gate.leave(open);
      open = next;
      // At most one period is behind.
      assertThat(events).hasSizeGreaterThanOrEqualTo(i);
    }
    gate.leave(open);
    assertThat(events).hasSize(1000).doesNotHaveDuplicates();
  }

  @Test
  void aWaiterThatGathersWaitsForWhatBeginsUntilItsPeriodBeginsAndNothingLater() {
    int first = gate.enter();
    await("a");
    int second = gate.enter();
    await("b");
    int third = gate.enter();

    gate.leave(second);
    assertThat(events).isEmpty();
    gate.leave(first);
    assertThat(events).containsExactly("a");
    int fourth = gate.enter();
    gate.leave(third);
    assertThat(events).containsExactly("a", "b");
    gate.leave(fourth);
  }

  @Test
  void aWaiterWhoseSectionIsInThePhaseThatIsNotClosingIsNotForgotten() {
    int first = gate.enter();
    await("a");
    int second = gate.enter();
    await("b");
    gate.leave(first);
    assertThat(events).containsExactly("a");
    gate.leave(second);
    assertThat(events).containsExactly("a", "b");
  }

  @Test
  void aWaiterMayWaitAgainFromItsContinuation() {
    int section = gate.enter();
    gate.await(() -> {
      events.add("a");
      await("b");
    });
    gate.leave(section);
    assertThat(events).containsExactly("a", "b");
  }

  @Test
  void aSectionMayBeginAndEndInAContinuation() {
    int section = gate.enter();
    gate.await(() -> {
      int inner = gate.enter();
      await("b");
      events.add("a");
      gate.leave(inner);
    });
    gate.leave(section);
    assertThat(events).containsExactly("a", "b");
  }

  @Test
  void aContinuationThatThrowsKeepsNoOtherWaiting() {
    int section = gate.enter();
    gate.await(() -> {
      throw new IllegalStateException("from a test");
    });
    await("b");
    int second = gate.enter();
    gate.leave(section);
    gate.leave(second);
    await("c");
    assertThat(events).containsExactly("b", "c");
  }

  @Test
  void anErrorReachesTheThreadAfterEveryContinuationHasRun() {
    int section = gate.enter();
    await("a");
    gate.await(() -> {
      throw new AssertionError("first");
    });
    gate.await(() -> {
      throw new AssertionError("second");
    });
    await("b");
    assertThatThrownBy(() -> gate.leave(section))
        .isInstanceOf(AssertionError.class)
        .hasMessage("first");
    assertThat(events).containsExactly("a", "b");
    await("c");
    assertThat(events).containsExactly("a", "b", "c");
  }

  /// Threads come and go through the gate while one waits again and again: each wait ends, and
  /// never while a section is open that was open when it began.
  @Test
  void underLoadEveryWaitEndsAndNoneTooEarly() throws Exception {
    int waits = 2_000;
    AtomicBoolean stop = new AtomicBoolean();
    AtomicInteger value = new AtomicInteger();
    AtomicInteger tooEarly = new AtomicInteger();
    AtomicInteger ended = new AtomicInteger();
    // A section reads the value twice; a wait that follows a change must not end in between.
    AtomicInteger reclaimed = new AtomicInteger();
    Runnable reader =
        () -> {
          while (!stop.get()) {
            int section = gate.enter();
            int seen = value.get();
            Thread.onSpinWait();
            if (reclaimed.get() > seen) {
              tooEarly.incrementAndGet();
            }
            gate.leave(section);
          }
        };
    Thread one = Thread.ofPlatform().start(reader);
    Thread two = Thread.ofPlatform().start(reader);
    for (int i = 1; i <= waits; i++) {
      int now = i;
      value.set(now);
      gate.await(() -> {
        reclaimed.accumulateAndGet(now, Math::max);
        ended.incrementAndGet();
      });
    }
    stop.set(true);
    one.join();
    two.join();
    assertThat(ended).hasValue(waits);
    assertThat(tooEarly).hasValue(0);
  }
}
