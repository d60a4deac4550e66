package dev.sluice.iommu;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class ThreadSectionsTest {
  private int changes;
  private final ThreadSections sections = new ThreadSections(() -> changes++);

  private static void join(Thread thread) throws InterruptedException {
    thread.join();
    assertThat(thread.isAlive()).isFalse();
  }

  private AccessSection ownOf(Thread.Builder by, boolean leased) throws InterruptedException {
    AtomicReference<AccessSection> found = new AtomicReference<>();
    join(
        by.start(() -> {
          AccessSection own = sections.own();
          found.set(own);
          if (leased) {
            own.begin(0, -1);
            own.leases().take(new PageLease(), 1, 0, 0xFFF, 0, 0);
            own.leave();
          }
        }));
    return requireNonNull(found.get());
  }

  @Test
  void aThreadHasOneSectionThatOthersCanSee() {
    AccessSection own = sections.own();
    assertThat(sections.own()).isSameAs(own);
    assertThat(sections.all()).containsExactly(own);
    assertThat(own.owner()).isSameAs(Thread.currentThread());
    assertThat(changes).isEqualTo(1);
  }

  @Test
  void everyThreadHasItsOwn() throws Exception {
    int count = 50;
    CountDownLatch all = new CountDownLatch(count);
    CountDownLatch go = new CountDownLatch(1);
    List<Thread> threads = new ArrayList<>();
    List<AtomicReference<AccessSection>> found = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      AtomicReference<AccessSection> own = new AtomicReference<>();
      found.add(own);
      threads.add(
          Thread.ofPlatform()
              .start(() -> {
                AccessSection first = sections.own();
                all.countDown();
                try {
                  go.await();
                } catch (InterruptedException e) {
                  return;
                }
                // Others have come since: it is still found.
                if (sections.own() == first) {
                  own.set(first);
                }
              }));
    }
    all.await();
    go.countDown();
    for (Thread thread : threads) {
      join(thread);
    }
    assertThat(found).extracting(AtomicReference::get).doesNotContainNull().doesNotHaveDuplicates();
    assertThat(sections.all()).hasSize(count);
  }

  // --- threads that died

  @Test
  void theSectionsOfDeadThreadsGoWhenANewOneComes() throws Exception {
    for (int i = 0; i < 1000; i++) {
      ownOf(Thread.ofVirtual(), false);
      assertThat(sections.all()).hasSize(1);
    }
    AccessSection own = sections.own();
    assertThat(sections.all()).containsExactly(own);
  }

  @Test
  void aMappingThatOutlivesItsThreadIsStillFound() throws Exception {
    AccessSection dead = ownOf(Thread.ofPlatform(), true);
    AccessSection own = sections.own();
    assertThat(sections.all()).containsExactly(dead, own);
    PageLeases.Query all = new PageLeases.Query(0, 0, 0, -1, Long.MAX_VALUE, -1);
    dead.leases().forEach(all, (table, cell, word) -> dead.leases().giveBack(table, cell, word));
    ownOf(Thread.ofPlatform(), false);
    assertThat(sections.all()).hasSize(2).doesNotContain(dead);
  }

  @Test
  void aThreadThatDiesWithinASectionIsStillWaitedFor() throws Exception {
    AtomicReference<AccessSection> open = new AtomicReference<>();
    join(
        Thread.ofPlatform()
            .start(() -> {
              AccessSection own = sections.own();
              own.begin(0, -1);
              open.set(own);
            }));
    AccessSection own = sections.own();
    assertThat(sections.all()).containsExactly(open.get(), own);
  }

  // --- sections within sections

  @Test
  void aSectionWithinASectionIsAnother() {
    AccessSection outer = sections.own();
    outer.begin(5, 0x1000, 0x1FFF);
    AccessSection inner = sections.own();
    assertThat(inner).isNotSameAs(outer);
    inner.begin(6, 0x2000, 0x2FFF);
    AccessSection innermost = sections.own();
    innermost.begin(7, 0x3000, 0x3FFF);
    assertThat(sections.all()).containsExactly(outer, inner, innermost);

    assertThat(outer.openOver(-1, 5, 0x1000, 0x1000)).isNotZero();
    assertThat(inner.openOver(-1, 6, 0x2000, 0x2000)).isNotZero();
    assertThat(innermost.openOver(-1, 7, 0x3000, 0x3000)).isNotZero();
    innermost.leave();
    inner.leave();
    assertThat(outer.openOver(-1, 5, 0x1000, 0x1000)).isNotZero();
    outer.leave();

    assertThat(sections.own()).isSameAs(outer);
    outer.begin(0, -1);
    assertThat(sections.own()).as("made once").isSameAs(inner);
    outer.leave();
    assertThat(changes).isEqualTo(3);
  }

  @Test
  void innerSectionsOfOtherThreadsAreNotMistakenForTheirOwn() throws Exception {
    AccessSection outer = sections.own();
    outer.begin(0, -1);
    AccessSection inner = sections.own();
    inner.begin(0, -1);
    AccessSection other = ownOf(Thread.ofPlatform(), false);
    assertThat(other).isNotIn(outer, inner);
    inner.leave();
    outer.leave();
    assertThat(sections.own()).isSameAs(outer);
  }
}
