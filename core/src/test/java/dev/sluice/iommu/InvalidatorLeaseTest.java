package dev.sluice.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.Ram;
import dev.sluice.memory.RamRegion;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/// When an invalidation is complete that meets leases of pages: [InvalidatorTest] has the rest.
class InvalidatorLeaseTest {
  private static final long TAG = 5;

  private final ManualClock clock = new ManualClock();
  private final GuestMemory memory = new GuestMemory();
  private final Invalidator invalidator = new Invalidator(clock);
  private final Endpoint endpoint = invalidator.attach(RequesterId.of(0, 1, 0), memory);
  private final List<String> events = new ArrayList<>();

  InvalidatorLeaseTest() {
    memory.addRam(0, RamRegion.allocate(16 * GuestMemory.PAGE));
    endpoint.revocation(Revocation.after(Duration.ofSeconds(2)));
  }

  private void invalidate(String name, long first, long last) {
    invalidator.invalidate(TAG, first, last, () -> events.add(name));
  }

  private PageLease lease(long tag, long first, long last) {
    AccessSection section = endpoint.enter(tag, first, last);
    try {
      return lease(section, tag, first, last, endpoint.count());
    } finally {
      section.leave();
    }
  }

  private PageLease lease(AccessSection section, long tag, long first, long last, long count) {
    PageLease lease = new PageLease();
    long ram = memory.ramAddress(first, 1, true);
    assertThat(endpoint.lease(section, lease, tag, first, last, count, ram)).isTrue();
    return lease;
  }

  private PageLease lease(long first, long last) {
    return lease(TAG, first, last);
  }

  /// On a thread of its own, to its end.
  private static void elsewhere(Runnable what) {
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    Thread thread =
        Thread.ofPlatform()
            .start(() -> {
              try {
                what.run();
              } catch (Throwable e) {
                thrown.set(e);
              }
            });
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    assertThat(thrown.get()).isNull();
  }

  // --- what it waits for

  @Test
  void itWaitsForALeaseOverItsRange() {
    PageLease lease = lease(0x1100, 0x11FF);
    invalidate("beside", 0x1200, 0x1FFF);
    invalidate("over", 0x11FF, 0x11FF);
    assertThat(events).containsExactly("beside");
    lease.close();
    assertThat(events).containsExactly("beside", "over");
    assertThat(clock.pending()).isLessThanOrEqualTo(1);
    clock.advance(Duration.ofDays(1));
    assertThat(invalidator.statistics().revocations()).isZero();
  }

  @Test
  void itDoesNotWaitForALeaseOfAnotherSpaceOrAfterIt() {
    lease(TAG + 1, 0, 0xFFF);
    PageLease before = lease(0, 0xFFF);
    invalidate("first", 0, 0xFFF);
    PageLease after = lease(0, 0xFFF);
    before.close();
    assertThat(events).containsExactly("first");
    invalidate("second", 0, 0xFFF);
    assertThat(events).hasSize(1);
    after.close();
    assertThat(events).containsExactly("first", "second");
  }

  @Test
  void itWaitsForALeaseThatASectionTakesAfterTheInvalidationBegan() {
    AccessSection section = endpoint.enter(TAG, 0, 0xFFF);
    long count = endpoint.count();
    invalidate("done", 0, 0xFFF);
    PageLease lease = lease(section, TAG, 0, 0xFFF, count);
    section.leave();
    assertThat(events).isEmpty();
    lease.close();
    assertThat(events).containsExactly("done");
  }

  @Test
  void itWaitsForSeveralLeasesInWhateverOrderTheyEnd() {
    List<PageLease> leases = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      leases.add(lease(i % 4 * 0x1000L, i % 4 * 0x1000L + 0xFFF));
    }
    invalidate("done", 0, -1);
    for (int i = 19; i > 0; i--) {
      leases.remove(i * 7 % leases.size()).close();
      assertThat(events).isEmpty();
    }
    leases.getFirst().close();
    assertThat(events).containsExactly("done");
    assertThat(endpoint.holdCount()).isZero();
  }

  @Test
  void aLeaseThatAnotherThreadGivesBackIsSeenToEnd() {
    PageLease lease = lease(0, 0xFFF);
    invalidate("done", 0, 0xFFF);
    elsewhere(lease::close);
    assertThat(events).containsExactly("done");
    invalidate("next", 0, 0xFFF);
    assertThat(events).containsExactly("done", "next");
  }

  @Test
  void aLeaseThatOutlivesItsThreadIsWaitedFor() {
    AtomicReference<PageLease> lease = new AtomicReference<>();
    elsewhere(() -> lease.set(lease(0, 0xFFF)));
    elsewhere(() -> lease(0x5000, 0x5FFF).close());
    invalidate("done", 0, 0xFFF);
    assertThat(events).isEmpty();
    lease.get().close();
    assertThat(events).containsExactly("done");
  }

  // --- uses

  /// One thread is in a use of a lease, which another gives back: the lease is gone, the use is
  /// not.
  @Test
  void aUseThatIsUnderWayWhenItsLeaseIsGivenBackIsWaitedFor() {
    PageLease lease = lease(0, 0xFFF);
    invalidate("done", 0, 0xFFF);
    AccessSection use = endpoint.enter(TAG, 0x10, 0x17);
    assertThat(lease.isLive()).isTrue();
    elsewhere(lease::close);
    assertThat(lease.isLive()).isFalse();
    assertThat(events).isEmpty();
    use.leave();
    assertThat(events).containsExactly("done");
  }

  @Test
  void aUseElsewhereIsNotWaitedFor() {
    PageLease lease = lease(0, 0xFFF);
    invalidate("done", 0, 0xFFF);
    AccessSection use = endpoint.enter(TAG, 0x1000, 0x1007);
    AccessSection another = endpoint.enter(TAG + 1, 0, 0x7);
    elsewhere(lease::close);
    assertThat(events).containsExactly("done");
    another.leave();
    use.leave();
  }

  /// The use starts the kernel's input from a mapping that is closed meanwhile.
  @Test
  void theKernelsInputThatTheLastUseBeganIsWaitedFor() {
    RamRegion ram = RamRegion.allocate(4096);
    PageLease lease = lease(0, 0xFFF);
    invalidate("done", 0, 0xFFF);
    AccessSection use = endpoint.enter(TAG, 0, 0xFFF);
    elsewhere(lease::close);
    Hold io = endpoint.hold(TAG, 0, 0xFFF, 0, ram, () -> events.add("ended"));
    assertThat(io.beginIo()).isTrue();
    use.leave();
    assertThat(events).isEmpty();
    io.endIo();
    io.close();
    assertThat(events).containsExactly("ended", "done");
  }

  // --- revocation

  @Test
  void aLeaseIsRevokedAtItsDeadlineAndNotBefore() {
    PageLease lease = lease(0, 0xFFF);
    invalidate("done", 0, 0xFFF);
    clock.advance(Duration.ofSeconds(2).minusNanos(1));
    assertThat(lease.isLive()).isTrue();
    assertThat(events).isEmpty();
    clock.advance(Duration.ofNanos(1));
    assertThat(lease.isLive()).isFalse();
    assertThat(events).containsExactly("done");
    assertThat(invalidator.statistics().revocations()).isEqualTo(1);
    assertThat(endpoint.holdCount()).as("the owner has it still").isEqualTo(1);
    lease.close();
    assertThat(endpoint.holdCount()).isZero();
  }

  @Test
  void impatienceRevokesAtOnceButWaitsForTheUse() {
    endpoint.revocation(Revocation.immediately());
    PageLease lease = lease(0, 0xFFF);
    PageLease beside = lease(0x1000, 0x1FFF);
    invalidate("done", 0, 0xFFF);
    assertThat(events).containsExactly("done");
    assertThat(lease.isLive()).isFalse();
    assertThat(beside.isLive()).isTrue();

    AccessSection use = endpoint.enter(TAG, 0x1000, 0x1007);
    invalidate("second", 0x1000, 0x1FFF);
    assertThat(beside.isLive()).as("leases come after sections").isTrue();
    AccessSection later = endpoint.enter(TAG, 0x1000, 0x1007);
    use.leave();
    assertThat(beside.isLive()).isFalse();
    assertThat(events).containsExactly("done");
    later.leave();
    assertThat(events).containsExactly("done", "second");
  }

  @Test
  void endlessPatienceWaits() {
    endpoint.revocation(Revocation.never());
    PageLease lease = lease(0, 0xFFF);
    invalidate("done", 0, 0xFFF);
    assertThat(clock.pending()).isZero();
    clock.advance(Duration.ofDays(1000));
    assertThat(events).isEmpty();
    lease.close();
    assertThat(events).containsExactly("done");
  }

  @Test
  void howeverManyInvalidationsWaitForALeaseItHasOneDeadlineFromTheFirst() {
    lease(0, 0xFFF);
    for (int i = 0; i < 1000; i++) {
      invalidate("done", 0, 0xFFF);
      clock.advance(Duration.ofMillis(1));
    }
    assertThat(clock.pending()).isEqualTo(1);
    clock.advance(Duration.ofSeconds(1));
    assertThat(events).hasSize(1000);
    assertThat(invalidator.statistics().revocations()).isEqualTo(1);
  }

  @Test
  void aShorterPatienceBringsTheDeadlineForward() {
    endpoint.revocation(Revocation.after(Duration.ofHours(1)));
    PageLease lease = lease(0, 0xFFF);
    invalidate("first", 0, 0xFFF);
    endpoint.revocation(Revocation.after(Duration.ofSeconds(1)));
    invalidate("second", 0, 0xFFF);
    assertThat(clock.pending()).isEqualTo(1);
    clock.advance(Duration.ofSeconds(1));
    assertThat(lease.isLive()).isFalse();
    assertThat(events).containsExactly("first", "second");
  }

  @Test
  void theDeadlinesOfLeasesThatEndedDoNotPileUp() {
    for (int i = 0; i < 1000; i++) {
      PageLease lease = lease(0, 0xFFF);
      invalidate("done", 0, 0xFFF);
      lease.close();
      assertThat(clock.pending()).isLessThanOrEqualTo(1);
    }
    assertThat(events).hasSize(1000);
  }

  @Test
  void aDeadlineDoesNotTakeTheNextLeaseInTheSameCell() {
    PageLease lease = lease(0, 0xFFF);
    invalidate("done", 0, 0xFFF);
    lease.close();
    PageLease next = lease(0, 0xFFF);
    clock.advance(Duration.ofSeconds(3));
    assertThat(next.isLive()).isTrue();
    assertThat(invalidator.statistics().revocations()).isZero();
  }

  // --- memory and devices that go

  @Test
  void memoryThatGoesWaitsForItsLeasesUntilTheirDeadline() {
    PageLease lease = lease(0, 0xFFF);
    memory.remove(0, -1, () -> events.add("unmapped"));
    assertThat(events).isEmpty();
    assertThat(lease.isLive()).isTrue();
    clock.advance(Duration.ofSeconds(2));
    assertThat(lease.isLive()).isFalse();
    assertThat(events).containsExactly("unmapped");
  }

  @Test
  void memoryThatGoesFindsTheLeaseThatASectionIsAboutToTake() {
    endpoint.revocation(Revocation.immediately());
    AccessSection section = endpoint.enter(TAG, 0, 0xFFF);
    long count = endpoint.count();
    long ram = memory.ramAddress(0, 1, true);
    memory.remove(0, -1, () -> events.add("unmapped"));
    PageLease late = new PageLease();
    assertThat(endpoint.lease(section, late, TAG, 0, 0xFFF, count, ram)).isTrue();
    assertThat(events).isEmpty();
    section.leave();
    assertThat(late.isLive()).isFalse();
    assertThat(events).containsExactly("unmapped");
  }

  @Test
  void memoryThatStaysKeepsItsLeases() {
    memory.addRam(1L << 30, RamRegion.allocate(GuestMemory.PAGE));
    PageLease stays = lease(0, 0xFFF);
    memory.remove(1L << 30, -1, () -> events.add("unmapped"));
    assertThat(events).containsExactly("unmapped");
    clock.advance(Duration.ofDays(1));
    assertThat(stays.isLive()).isTrue();
  }

  @Test
  void aCachedTranslationToMemoryThatGoesIsDroppedWithIt() {
    Iotlb space = invalidator.space(TAG, endpoint);
    endpoint.bind(space, endpoint.bindTicket());
    Translation.Page page = new Translation.Page(0, 0, 12, true, true, TAG);
    assertThat(space.insert(page, 0, space.ticket(0))).isTrue();
    assertThat(endpoint.cached(0, 1)).isNotEqualTo(Ram.NOWHERE);
    memory.remove(0, -1, () -> events.add("unmapped"));
    assertThat(events).containsExactly("unmapped");
    assertThat(endpoint.cached(0, 1)).isEqualTo(Ram.NOWHERE);
    assertThat(invalidator.statistics().drains()).as("no invalidation").isZero();
  }

  @Test
  void aDeviceThatLeavesLosesItsLeases() {
    PageLease lease = lease(0, 0xFFF);
    invalidate("done", 0, 0xFFF);
    invalidator.detach(endpoint);
    assertThat(lease.isLive()).isFalse();
    assertThat(events).containsExactly("done");
    assertThat(invalidator.endpoints()).isEmpty();
    assertThat(invalidator.statistics().revocations()).as("nobody was late").isZero();
    lease.close();
  }

  @Test
  void aDeviceThatLeavesInTheMiddleOfAnAccessLosesTheLeaseItTakes() {
    AccessSection section = endpoint.enter(TAG, 0, 0xFFF);
    invalidator.detach(endpoint);
    PageLease late = lease(section, TAG, 0, 0xFFF, endpoint.count());
    invalidate("done", 0, 0xFFF);
    assertThat(events).isEmpty();
    section.leave();
    assertThat(late.isLive()).isFalse();
    assertThat(events).containsExactly("done");
    assertThat(invalidator.endpoints()).isEmpty();
  }
}
