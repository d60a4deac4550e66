package dev.sluice.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// What a section shows to others, and who is told when it ends. The races are in the `stress`
/// module.
class AccessSectionTest {
  private final AccessSection section = new AccessSection(Thread.currentThread(), false);
  private final List<String> events = new ArrayList<>();

  private boolean isOpenOver(long tagMask, long tag, long first, long last) {
    return section.openOver(tagMask, tag, first, last) != 0;
  }

  /// What an invalidation does about it: waits for the section that is open now, if there is one.
  private void await(String name) {
    await(section, () -> events.add(name));
  }

  private static void await(AccessSection section, Runnable ended) {
    Drain.start(
        drain -> {
          long open = section.openOver(0, 0, 0, -1);
          if (open != 0) {
            drain.await(section.waits(), () -> section.isOver(open));
          }
        },
        ended);
  }

  @Test
  void onlyAnOpenSectionIsWaitedFor() {
    assertThat(section.isOpen()).isFalse();
    assertThat(isOpenOver(0, 0, 0, -1)).isFalse();
    section.begin(0, -1);
    assertThat(section.isOpen()).isTrue();
    assertThat(isOpenOver(-1, 5, 0x1000, 0x1000)).isTrue();
    section.leave();
    assertThat(section.isOpen()).isFalse();
    assertThat(isOpenOver(0, 0, 0, -1)).isFalse();
  }

  @Test
  void aSectionOfOneSpaceConcernsNoOther() {
    section.begin(0x25, 0, -1);
    assertThat(isOpenOver(-1, 0x25, 0, -1)).isTrue();
    assertThat(isOpenOver(-1, 0x26, 0, -1)).isFalse();
    assertThat(isOpenOver(0xF0, 0x2F, 0, -1)).isTrue();
    assertThat(isOpenOver(0xF0, 0x3F, 0, -1)).isFalse();
    assertThat(isOpenOver(0, 0, 0, -1)).isTrue();
    section.leave();
  }

  @Test
  void aSectionThatMayTouchAnySpaceConcernsAll() {
    section.begin(0x1000, 0x1FFF);
    assertThat(isOpenOver(-1, 77, 0, -1)).isTrue();
    assertThat(isOpenOver(-1, 77, 0x2000, -1)).isFalse();
    section.leave();
    section.begin(5, 0x1000, 0x1FFF);
    assertThat(isOpenOver(-1, 77, 0, -1)).as("the section after it is another").isFalse();
    section.leave();
  }

  @Test
  void rangesAreUnsignedAndInclusive() {
    section.begin(0x1000, -2);
    assertThat(isOpenOver(0, 0, 0, 0xFFF)).isFalse();
    assertThat(isOpenOver(0, 0, 0, 0x1000)).isTrue();
    assertThat(isOpenOver(0, 0, -2, -1)).isTrue();
    assertThat(isOpenOver(0, 0, -1, -1)).isFalse();
    section.leave();
  }

  @Test
  void aSectionIsOverThoughTheNextOneLooksLikeIt() {
    section.begin(5, 0, 0xFFF);
    long seen = section.openOver(0, 0, 0, -1);
    assertThat(section.isOver(seen)).isFalse();
    section.leave();
    assertThat(section.isOver(seen)).isTrue();
    section.begin(5, 0, 0xFFF);
    assertThat(section.isOver(seen)).isTrue();
    section.leave();
  }

  @Test
  void aLookAtASectionThatGoesOnIsShort() {
    section.begin(0, -1);
    assertThat(section.endsSoon(0, 0, 0, -1)).isFalse();
    section.leave();
    assertThat(section.endsSoon(0, 0, 0, -1)).isTrue();
  }

  // --- who is told

  @Test
  void aWaitForASectionThatIsNotOpenEndsAtOnce() {
    await("a");
    assertThat(events).containsExactly("a");
  }

  @Test
  void aWaiterIsToldWhenTheSectionEndsAndNotBefore() {
    section.begin(0, -1);
    await("a");
    assertThat(events).isEmpty();
    section.leave();
    assertThat(events).containsExactly("a");
    section.begin(0, -1);
    section.leave();
    assertThat(events).as("once").containsExactly("a");
  }

  @Test
  void waitersAreToldInTheOrderInWhichTheyCame() {
    section.begin(0, -1);
    for (int i = 0; i < 5; i++) {
      await("a" + i);
    }
    section.leave();
    assertThat(events).containsExactly("a0", "a1", "a2", "a3", "a4");
  }

  @Test
  void aWaiterMayWaitAgainFromItsContinuation() {
    section.begin(0, -1);
    await(
        section,
        () -> {
          events.add("a");
          await("b");
        });
    section.leave();
    assertThat(events).containsExactly("a", "b");
  }

  @Test
  void aSectionMayBeginAndEndInAContinuation() {
    section.begin(0, -1);
    await(
        section,
        () -> {
          section.begin(0, -1);
          await("b");
          events.add("a");
          section.leave();
        });
    section.leave();
    assertThat(events).containsExactly("a", "b");
  }

  @Test
  void aContinuationThatThrowsKeepsNoOtherWaiting() {
    section.begin(0, -1);
    await(
        section,
        () -> {
          throw new IllegalStateException("from a test");
        });
    await("b");
    section.leave();
    await("c");
    assertThat(events).containsExactly("b", "c");
  }

  @Test
  void anErrorReachesTheThreadAfterEveryContinuationHasRun() {
    section.begin(0, -1);
    await("a");
    await(
        section,
        () -> {
          throw new AssertionError("first");
        });
    await(
        section,
        () -> {
          throw new AssertionError("second");
        });
    await("b");
    assertThatThrownBy(section::leave).isInstanceOf(AssertionError.class).hasMessage("first");
    assertThat(events).containsExactly("a", "b");
    await("c");
    assertThat(events).containsExactly("a", "b", "c");
  }

  /// Two threads open and end sections while one waits again and again: each wait ends, and never
  /// while a section is open that was open when it began.
  @Test
  void underLoadEveryWaitEndsAndNoneTooEarly() throws Exception {
    int waits = 2_000;
    ThreadSections sections = new ThreadSections(() -> {});
    AtomicBoolean stop = new AtomicBoolean();
    AtomicInteger value = new AtomicInteger();
    AtomicInteger tooEarly = new AtomicInteger();
    AtomicInteger ended = new AtomicInteger();
    // A section reads the value twice; a wait that follows a change must not end in between.
    AtomicInteger reclaimed = new AtomicInteger();
    Runnable reader =
        () -> {
          while (!stop.get()) {
            AccessSection own = sections.own();
            own.begin(0, -1);
            int seen = value.get();
            Thread.onSpinWait();
            if (reclaimed.get() > seen) {
              tooEarly.incrementAndGet();
            }
            own.leave();
          }
        };
    Thread one = Thread.ofPlatform().start(reader);
    Thread two = Thread.ofPlatform().start(reader);
    for (int i = 1; i <= waits; i++) {
      int now = i;
      value.set(now);
      Drain.start(
          drain -> {
            for (AccessSection each : sections.all()) {
              long open = each.openOver(0, 0, 0, -1);
              if (open != 0) {
                drain.await(each.waits(), () -> each.isOver(open));
              }
            }
          },
          () -> {
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
