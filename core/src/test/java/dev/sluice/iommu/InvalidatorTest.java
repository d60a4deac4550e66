package dev.sluice.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.iommu.Translation.Page;
import dev.sluice.memory.Access;
import dev.sluice.memory.RamRegion;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// When an invalidation is complete: whom it waits for, whom it does not, and who is told.
///
/// One thread plays the guest and the devices; a section that it has entered is an access under
/// way.
class InvalidatorTest {
  private static final long TAG = 5;

  private final ManualClock clock = new ManualClock();
  private final Invalidator invalidator = new Invalidator(clock);
  private final Endpoint endpoint = invalidator.attach(RequesterId.of(0, 1, 0));
  private final Endpoint other = invalidator.attach(RequesterId.of(0, 2, 0));
  private final RamRegion ram = RamRegion.allocate(4096);
  private final List<String> events = new ArrayList<>();

  private void invalidate(String name, Invalidation what) {
    invalidator.invalidate(what, () -> events.add(name));
  }

  private Hold hold(Endpoint by, long tag, long first, long last) {
    int section = by.enter();
    Hold hold = by.hold(tag, first, last, by.generation(), ram, () -> events.add("ended"));
    by.leave(section);
    return hold;
  }

  private Hold hold(long first, long last) {
    return hold(endpoint, TAG, first, last);
  }

  private static Page page(long iova, long tag) {
    return new Page(iova, iova, 12, true, true, tag);
  }

  private Iotlb bind(Endpoint who, long tag) {
    Iotlb space = invalidator.space(tag);
    assertThat(who.bind(space, who.bindTicket())).isTrue();
    return space;
  }

  private void cache(Iotlb space, long iova) {
    assertThat(space.insert(page(iova, space.tag()), iova, space.ticket())).isTrue();
  }

  // --- what it waits for

  @Test
  void itCompletesAtOnceWhenNothingIsInFlight() {
    invalidate("done", Invalidation.all());
    assertThat(events).containsExactly("done");
    assertThat(invalidator.statistics().drains()).isEqualTo(1);
    assertThat(invalidator.statistics().delayed()).isZero();
  }

  @Test
  void itWaitsForASectionThatWasOpen() {
    int section = endpoint.enter();
    invalidate("done", Invalidation.ofSpace(TAG));
    assertThat(events).isEmpty();
    endpoint.leave(section);
    assertThat(events).containsExactly("done");
    assertThat(invalidator.statistics().delayed()).isEqualTo(1);
  }

  @Test
  void itWaitsForTheSectionsOfEveryEndpoint() {
    int one = endpoint.enter();
    int two = other.enter();
    invalidate("done", Invalidation.ofSpace(TAG));
    endpoint.leave(one);
    assertThat(events).isEmpty();
    other.leave(two);
    assertThat(events).containsExactly("done");
  }

  @Test
  void itDoesNotWaitForASectionThatBeganAfterIt() {
    int before = endpoint.enter();
    invalidate("done", Invalidation.ofSpace(TAG));
    int after = endpoint.enter();
    endpoint.leave(before);
    assertThat(events).containsExactly("done");
    endpoint.leave(after);
  }

  @Test
  void itWaitsForAHoldOverItsRange() {
    Hold hold = hold(0x1000, 0x1FFF);
    invalidate("done", Invalidation.ofRange(TAG, 0x1FFF, 0x1FFF));
    assertThat(events).isEmpty();
    hold.close();
    assertThat(events).containsExactly("ended", "done");
  }

  @Test
  void itWaitsForAHoldThatASectionMakesAfterTheInvalidationBegan() {
    int section = endpoint.enter();
    long generation = endpoint.generation();
    invalidate("done", Invalidation.ofRange(TAG, 0, -1));
    Hold hold = endpoint.hold(TAG, 0, 0xFFF, generation, ram, () -> events.add("ended"));
    endpoint.leave(section);
    assertThat(events).isEmpty();
    hold.close();
    assertThat(events).containsExactly("ended", "done");
  }

  @Test
  void itDoesNotWaitForAHoldBesideItsRange() {
    hold(0x1000, 0x1FFF);
    invalidate("below", Invalidation.ofRange(TAG, 0, 0xFFF));
    invalidate("above", Invalidation.ofRange(TAG, 0x2000, -1));
    assertThat(events).containsExactly("below", "above");
  }

  @Test
  void itDoesNotWaitForAHoldOfAnotherAddressSpace() {
    hold(0x1000, 0x1FFF);
    invalidate("done", Invalidation.ofSpace(TAG + 1));
    invalidate("bindings", Invalidation.ofBindings(TAG + 1));
    assertThat(events).containsExactly("done", "bindings");
  }

  @Test
  void itDoesNotWaitForAHoldMadeAfterIt() {
    Hold before = hold(0, 0xFFF);
    invalidate("first", Invalidation.ofSpace(TAG));
    Hold after = hold(0, 0xFFF);
    before.close();
    assertThat(events).containsExactly("ended", "first");
    invalidate("second", Invalidation.ofSpace(TAG));
    assertThat(events).hasSize(2);
    after.close();
    assertThat(events).containsExactly("ended", "first", "ended", "second");
  }

  @Test
  void anInvalidationOfABindingWaitsForEverythingOfThatEndpointAndNothingOfOthers() {
    Hold mine = hold(endpoint, TAG, 0, 0xFFF);
    Hold theirs = hold(other, TAG, 0, 0xFFF);
    int section = other.enter();
    invalidate("done", Invalidation.ofBinding(endpoint));
    assertThat(events).isEmpty();
    mine.close();
    assertThat(events).containsExactly("ended", "done");
    other.leave(section);
    theirs.close();
  }

  @Test
  void itWaitsForSeveralHoldsInWhateverOrderTheyEnd() {
    List<Hold> holds = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      holds.add(hold(i * 0x1000L, i * 0x1000L + 0xFFF));
    }
    invalidate("done", Invalidation.ofSpace(TAG));
    for (int i : new int[] {3, 0, 4, 2}) {
      holds.get(i).close();
      assertThat(events).doesNotContain("done");
    }
    holds.get(1).close();
    assertThat(events).contains("done");
    assertThat(endpoint.holdCount()).isZero();
  }

  @Test
  void aMaskedInvalidationWaitsForTheHoldsOfAllItsSpaces() {
    Hold hold = hold(endpoint, 0x25, 0, 0xFFF);
    hold(endpoint, 0x35, 0, 0xFFF);
    Invalidation what = new Invalidation(0xF0, 0x20, true, 0, -1, Invalidation.Binding.NONE, null);
    invalidate("done", what);
    assertThat(events).isEmpty();
    hold.close();
    assertThat(events).containsExactly("ended", "done");
  }

  // --- who is told

  @Test
  void twoInvalidationsOverOneHoldAreBothToldOnce() {
    Hold hold = hold(0, 0xFFF);
    invalidate("first", Invalidation.ofSpace(TAG));
    invalidate("second", Invalidation.ofRange(TAG, 0, 0));
    assertThat(events).isEmpty();
    hold.close();
    assertThat(events).containsExactly("ended", "first", "second");
    hold.close();
    assertThat(events).hasSize(3);
  }

  @Test
  void invalidationsCompleteInTheOrderInWhichTheyBeganWhenOneAccessHeldThemAll() {
    int section = endpoint.enter();
    for (int i = 0; i < 10; i++) {
      invalidate("done " + i, Invalidation.ofSpace(TAG + i));
    }
    endpoint.leave(section);
    assertThat(events)
        .containsExactly(
            "done 0", "done 1", "done 2", "done 3", "done 4", "done 5", "done 6", "done 7",
            "done 8", "done 9");
  }

  @Test
  void oneThatHasNothingToWaitForOvertakesOneThatWaits() {
    Hold hold = hold(0, 0xFFF);
    invalidate("held", Invalidation.ofRange(TAG, 0, 0xFFF));
    invalidate("free", Invalidation.ofRange(TAG, 0x1000, 0x1FFF));
    assertThat(events).containsExactly("free");
    hold.close();
    assertThat(events).containsExactly("free", "ended", "held");
  }

  @Test
  void aCompletionThatThrowsKeepsNeitherOthersNorTheDeviceFromGoingOn() {
    int section = endpoint.enter();
    invalidator.invalidate(
        Invalidation.all(),
        () -> {
          throw new IllegalStateException("from a test");
        });
    invalidate("done", Invalidation.all());
    endpoint.leave(section);
    assertThat(events).containsExactly("done");
    invalidator.invalidate(
        Invalidation.all(),
        () -> {
          throw new IllegalStateException("from a test");
        });
    invalidate("later", Invalidation.all());
    assertThat(events).containsExactly("done", "later");
  }

  @Test
  void theEndOfAHoldThatThrowsKeepsNoInvalidationWaiting() {
    int section = endpoint.enter();
    Hold hold =
        endpoint.hold(
            TAG,
            0,
            0xFFF,
            endpoint.generation(),
            ram,
            () -> {
              throw new IllegalStateException("from a test");
            });
    endpoint.leave(section);
    invalidate("done", Invalidation.all());
    hold.close();
    assertThat(events).containsExactly("done");
    assertThat(endpoint.holdCount()).isZero();
  }

  @Test
  void aCompletionMayBeginTheNextInvalidation() {
    int section = endpoint.enter();
    invalidator.invalidate(
        Invalidation.ofSpace(TAG),
        () -> {
          events.add("first");
          invalidate("second", Invalidation.ofSpace(TAG));
        });
    endpoint.leave(section);
    assertThat(events).containsExactly("first", "second");
  }

  /// The chain that a queue of invalidations makes when an access holds each up: every completion
  /// begins the next, and the depth of the stack does not grow with it.
  @Test
  void aLongChainOfDelayedInvalidationsDoesNotNest() {
    for (int i = 0; i < 100_000; i++) {
      int section = endpoint.enter();
      invalidate("done", Invalidation.ofSpace(TAG));
      endpoint.leave(section);
    }
    int open = endpoint.enter();
    for (int i = 0; i < 100_000; i++) {
      invalidate("done", Invalidation.ofSpace(TAG));
    }
    endpoint.leave(open);
    assertThat(events).hasSize(200_000);
  }

  // --- what is dropped

  @Test
  void anInvalidationDropsCachedTranslationsOfItsSpaceAndRange() {
    Iotlb space = bind(endpoint, TAG);
    cache(space, 0x1000);
    cache(space, 0x2000);
    invalidate("done", Invalidation.ofRange(TAG, 0x1000, 0x1FFF));
    assertThat(endpoint.lookup(0x1000, Access.READ)).isNull();
    assertThat(endpoint.lookup(0x2000, Access.READ)).isNotNull();
    invalidate("other", Invalidation.ofSpace(TAG + 1));
    assertThat(endpoint.lookup(0x2000, Access.READ)).isNotNull();
    invalidate("all", Invalidation.ofTranslations());
    assertThat(endpoint.lookup(0x2000, Access.READ)).isNull();
    assertThat(endpoint.space()).isSameAs(space);
  }

  @Test
  void aMaskedInvalidationDropsTheTranslationsOfEachSpaceItMatches() {
    for (long tag : new long[] {0x21, 0x2F, 0x31}) {
      cache(invalidator.space(tag), 0);
    }
    invalidate("done", new Invalidation(0xF0, 0x20, true, 0, -1, Invalidation.Binding.NONE, null));
    assertThat(invalidator.space(0x21).lookup(0)).isNull();
    assertThat(invalidator.space(0x2F).lookup(0)).isNull();
    assertThat(invalidator.space(0x31).lookup(0)).isNotNull();
  }

  @Test
  void aBindingInvalidationLeavesTranslationsCached() {
    Iotlb space = bind(endpoint, TAG);
    bind(other, TAG);
    cache(space, 0);
    invalidate("done", Invalidation.ofBinding(endpoint));
    assertThat(endpoint.space()).isNull();
    assertThat(endpoint.lookup(0, Access.READ)).isNull();
    assertThat(other.lookup(0, Access.READ)).isNotNull();
  }

  @Test
  void bindingsAreDroppedByAddressSpaceOrAllTogether() {
    bind(endpoint, TAG);
    bind(other, TAG + 1);
    invalidate("one", Invalidation.ofBindings(TAG));
    assertThat(endpoint.space()).isNull();
    assertThat(other.space()).isNotNull();
    bind(endpoint, TAG);
    invalidate("all", Invalidation.ofBindings());
    assertThat(endpoint.space()).isNull();
    assertThat(other.space()).isNull();
  }

  @Test
  void aBindingMadeFromAnEntryReadBeforeItsInvalidationIsRefused() {
    Iotlb space = invalidator.space(TAG);
    long ticket = endpoint.bindTicket();
    invalidate("done", Invalidation.ofBinding(endpoint));
    assertThat(endpoint.bind(space, ticket)).isFalse();
    assertThat(endpoint.space()).isNull();

    ticket = endpoint.bindTicket();
    // It is bound to nothing now; the entry being read may name any space.
    invalidate("matching", Invalidation.ofBindings(TAG + 9));
    assertThat(endpoint.bind(space, ticket)).isFalse();
    assertThat(endpoint.bind(space, endpoint.bindTicket())).isTrue();
  }

  @Test
  void aLookupAsksForTheRightsOfTheAccess() {
    Iotlb space = bind(endpoint, TAG);
    Page readOnly = new Page(0, 0, 12, true, false, TAG);
    space.insert(readOnly, 0, space.ticket());
    assertThat(endpoint.lookup(0, Access.READ)).isSameAs(readOnly);
    assertThat(endpoint.lookup(0, Access.WRITE)).isNull();
    assertThat(endpoint.hits()).isEqualTo(1);
    assertThat(endpoint.misses()).isEqualTo(1);
  }

  // --- spaces beyond the limit

  @Test
  void beyondTheLimitTheCacheOfAnUnboundSpaceGoes() {
    Iotlb bound = bind(endpoint, TAG);
    cache(bound, 0);
    List<Iotlb> spaces = new ArrayList<>();
    for (long tag = 1000; tag < 1000 + 3 * Invalidator.MAX_SPACES; tag++) {
      spaces.add(invalidator.space(tag));
    }
    long kept = spaces.stream().filter(space -> !space.isRetired()).count();
    assertThat(kept).isEqualTo(Invalidator.MAX_SPACES - 1);
    assertThat(bound.isRetired()).isFalse();
    assertThat(invalidator.space(TAG)).isSameAs(bound);
    assertThat(endpoint.lookup(0, Access.READ)).isNotNull();
  }

  @Test
  void aCacheThatLostItsPlaceCanNeitherBeFilledNorBoundAgain() {
    Iotlb lost = invalidator.space(1);
    for (long tag = 1000; !lost.isRetired(); tag++) {
      invalidator.space(tag);
    }
    assertThat(lost.insert(page(0, 1), 0, lost.ticket())).isFalse();
    assertThat(endpoint.bind(lost, endpoint.bindTicket())).isFalse();
    assertThat(endpoint.space()).isNull();
    assertThat(invalidator.space(1)).isNotSameAs(lost);
  }

  // --- revocation

  @Test
  void aHoldIsRevokedAtItsDeadlineAndNotBefore() {
    endpoint.revocation(Revocation.after(Duration.ofSeconds(2)));
    Hold hold = hold(0, 0xFFF);
    invalidate("done", Invalidation.ofSpace(TAG));
    clock.advance(Duration.ofSeconds(2).minusNanos(1));
    assertThat(hold.isLive()).isTrue();
    assertThat(events).isEmpty();
    clock.advance(Duration.ofNanos(1));
    assertThat(hold.state()).isEqualTo(Hold.State.REVOKED);
    assertThat(events).containsExactly("ended", "done");
    assertThat(invalidator.statistics().revocations()).isEqualTo(1);
    assertThat(invalidator.statistics().longestNanos()).isEqualTo(Duration.ofSeconds(2).toNanos());
  }

  @Test
  void impatienceRevokesAtOnce() {
    endpoint.revocation(Revocation.immediately());
    Hold hold = hold(0, 0xFFF);
    invalidate("done", Invalidation.ofSpace(TAG));
    assertThat(hold.state()).isEqualTo(Hold.State.REVOKED);
    assertThat(events).containsExactly("ended", "done");
    assertThat(invalidator.statistics().delayed()).isZero();
  }

  @Test
  void endlessPatienceWaits() {
    endpoint.revocation(Revocation.never());
    Hold hold = hold(0, 0xFFF);
    invalidate("done", Invalidation.ofSpace(TAG));
    assertThat(clock.pending()).isZero();
    clock.advance(Duration.ofDays(1000));
    assertThat(events).isEmpty();
    hold.close();
    assertThat(events).containsExactly("ended", "done");
  }

  @Test
  void theDeadlineOfAHoldThatEndsIsTakenBack() {
    Hold hold = hold(0, 0xFFF);
    invalidate("done", Invalidation.ofSpace(TAG));
    assertThat(clock.pending()).isEqualTo(1);
    hold.close();
    assertThat(clock.pending()).isZero();
    assertThat(hold.state()).isEqualTo(Hold.State.CLOSED);
  }

  @Test
  void howeverManyInvalidationsWaitForAHoldItHasOneDeadlineFromTheFirst() {
    endpoint.revocation(Revocation.after(Duration.ofSeconds(2)));
    hold(0, 0xFFF);
    for (int i = 0; i < 1000; i++) {
      invalidate("done", Invalidation.ofSpace(TAG));
      clock.advance(Duration.ofMillis(1));
    }
    assertThat(clock.pending()).isEqualTo(1);
    clock.advance(Duration.ofSeconds(1));
    assertThat(events).hasSize(1001);
    assertThat(invalidator.statistics().revocations()).isEqualTo(1);
  }

  @Test
  void aShorterPatienceBringsTheDeadlineForward() {
    endpoint.revocation(Revocation.after(Duration.ofHours(1)));
    Hold hold = hold(0, 0xFFF);
    invalidate("first", Invalidation.ofSpace(TAG));
    endpoint.revocation(Revocation.after(Duration.ofSeconds(1)));
    invalidate("second", Invalidation.ofSpace(TAG));
    assertThat(clock.pending()).isEqualTo(1);
    clock.advance(Duration.ofSeconds(1));
    assertThat(hold.isLive()).isFalse();
    assertThat(events).containsExactly("ended", "first", "second");
  }

  @Test
  void aRevocationWaitsForTheUseUnderWay() {
    endpoint.revocation(Revocation.immediately());
    Hold hold = hold(0, 0xFFF);
    int use = endpoint.enter();
    invalidate("done", Invalidation.ofSpace(TAG));
    assertThat(hold.isLive()).isTrue(); // the drain has not come to holds yet
    int later = endpoint.enter();
    endpoint.leave(use);
    // Revoked now, but the section that began meanwhile may have found the hold live.
    assertThat(hold.isLive()).isFalse();
    assertThat(events).isEmpty();
    endpoint.leave(later);
    assertThat(events).containsExactly("ended", "done");
  }

  @Test
  void kernelInputAndOutputDelaysTheEndBeyondTheDeadline() {
    endpoint.revocation(Revocation.immediately());
    Hold hold = hold(0, 0xFFF);
    assertThat(hold.beginIo()).isTrue();
    assertThat(hold.beginIo()).isTrue();
    invalidate("done", Invalidation.ofSpace(TAG));
    assertThat(hold.isLive()).isFalse();
    assertThat(hold.beginIo()).isFalse();
    hold.endIo();
    assertThat(events).isEmpty();
    hold.endIo();
    assertThat(events).containsExactly("ended", "done");
  }

  @Test
  void anEndOfInputAndOutputThatNeverBeganIsAMistakeOfTheCaller() {
    Hold hold = hold(0, 0xFFF);
    assertThatThrownBy(hold::endIo).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void anInvalidationThatComesWhileAClosedHoldStillHasInputAndOutputWaitsForIt() {
    Hold hold = hold(0, 0xFFF);
    assertThat(hold.beginIo()).isTrue();
    hold.close();
    invalidate("done", Invalidation.ofSpace(TAG));
    assertThat(events).isEmpty();
    hold.endIo();
    assertThat(events).containsExactly("ended", "done");
  }

  @Test
  void anInvalidationThatComesWhileAClosedHoldIsStillInUseWaitsForTheUse() {
    Hold hold = hold(0, 0xFFF);
    int use = endpoint.enter();
    hold.close();
    invalidate("done", Invalidation.ofSpace(TAG));
    assertThat(events).isEmpty();
    endpoint.leave(use);
    assertThat(events).containsExactly("ended", "done");
  }

  @Test
  void memoryThatHasToGoRevokesItsHoldsAtTheirDeadline() {
    endpoint.revocation(Revocation.after(Duration.ofSeconds(1)));
    Hold hold = hold(0, 0xFFF);
    RamRegion elsewhere = RamRegion.allocate(4096);
    endpoint.expireHoldsOn(elsewhere);
    assertThat(clock.pending()).isZero();
    endpoint.expireHoldsOn(ram);
    clock.advance(Duration.ofSeconds(1));
    assertThat(hold.state()).isEqualTo(Hold.State.REVOKED);
    assertThat(events).containsExactly("ended");
  }

  @Test
  void memoryThatHasToGoFindsTheHoldThatASectionIsAboutToRegister() {
    endpoint.revocation(Revocation.immediately());
    int section = endpoint.enter();
    endpoint.expireHoldsOn(ram);
    Hold late = endpoint.hold(TAG, 0, 0xFFF, endpoint.generation(), ram, () -> events.add("ended"));
    endpoint.leave(section);
    assertThat(late.isLive()).isFalse();
    assertThat(events).containsExactly("ended");
  }

  // --- devices that leave

  @Test
  void aDeviceThatLeavesLosesWhatItHolds() {
    Hold hold = hold(0, 0xFFF);
    bind(endpoint, TAG);
    invalidator.detach(endpoint);
    assertThat(hold.state()).isEqualTo(Hold.State.REVOKED);
    assertThat(endpoint.space()).isNull();
    assertThat(invalidator.endpoints()).containsExactly(other);
    invalidate("done", Invalidation.all());
    assertThat(events).containsExactly("ended", "done");
  }

  @Test
  void aDeviceWithoutAnIommuLosesWhatItsLastAccessMakes() {
    Endpoint alone = Endpoint.standalone(RequesterId.of(0, 3, 0));
    int section = alone.enter();
    alone.shutDown(() -> events.add("gone"));
    Hold late = alone.hold(0, 0, 0xFFF, alone.generation(), ram, () -> events.add("ended"));
    assertThat(events).isEmpty();
    alone.leave(section);
    assertThat(late.isLive()).isFalse();
    assertThat(events).containsExactly("ended", "gone");
  }

  @Test
  void aHostThatCannotSetADeadlineStillTellsTheInvalidationWhenTheHoldsAreOver() {
    Invalidator withoutTimers = new Invalidator(new BrokenClock());
    Endpoint device = withoutTimers.attach(RequesterId.of(0, 3, 0));
    Hold one = hold(device, TAG, 0, 0xFFF);
    Hold two = hold(device, TAG, 0, 0xFFF);
    int section = device.enter();
    withoutTimers.invalidate(Invalidation.all(), () -> events.add("done"));
    device.leave(section);
    one.close();
    assertThat(events).containsExactly("ended");
    two.close();
    assertThat(events).containsExactly("ended", "ended", "done");
  }

  /// A host that is out of threads.
  private static final class BrokenClock implements DeadlineClock {
    @Override
    public long nanoTime() {
      return 0;
    }

    @Override
    public Runnable schedule(Duration delay, Runnable task) {
      throw new IllegalStateException("unable to create native thread");
    }
  }

  @Test
  void invalidationsWaitForWhatADeviceThatLeftStillHasUnderWay() {
    Hold hold = hold(0, 0xFFF);
    assertThat(hold.beginIo()).isTrue();
    invalidator.detach(endpoint);
    invalidate("done", Invalidation.all());
    assertThat(events).isEmpty();
    hold.endIo();
    assertThat(events).containsExactly("ended", "done");
    assertThat(invalidator.endpoints()).containsExactly(other);
  }

  @Test
  void aDeviceThatLeavesInTheMiddleOfAnAccessIsWaitedForAndLosesWhatTheAccessMade() {
    int section = endpoint.enter();
    invalidator.detach(endpoint);
    Hold late = endpoint.hold(TAG, 0, 0xFFF, endpoint.generation(), ram, () -> events.add("ended"));
    invalidate("done", Invalidation.all());
    assertThat(events).isEmpty();
    endpoint.leave(section);
    assertThat(late.isLive()).isFalse();
    assertThat(events).containsExactly("ended", "done");
    assertThat(invalidator.endpoints()).containsExactly(other);
  }
}
