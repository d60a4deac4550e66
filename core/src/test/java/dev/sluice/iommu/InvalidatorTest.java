package dev.sluice.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.iommu.Translation.Page;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
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
  private final GuestMemory memory = new GuestMemory();
  private final Invalidator invalidator = new Invalidator(clock);
  private final Endpoint endpoint = invalidator.attach(RequesterId.of(0, 1, 0), memory);
  private final Endpoint other = invalidator.attach(RequesterId.of(0, 2, 0), memory);
  private final RamRegion ram = RamRegion.allocate(4096);
  private final List<String> events = new ArrayList<>();

  InvalidatorTest() {
    memory.addRam(0, RamRegion.allocate(16 * GuestMemory.PAGE));
  }

  private void invalidate(String name, Invalidation what) {
    invalidator.invalidate(what, () -> events.add(name));
  }

  private Hold hold(Endpoint by, long tag, long first, long last) {
    AccessSection section = by.enter(0, -1);
    Hold hold = by.hold(tag, first, last, by.count(), ram, () -> events.add("ended"));
    section.leave();
    return hold;
  }

  private Hold hold(long first, long last) {
    return hold(endpoint, TAG, first, last);
  }

  private static Page page(long iova, long tag) {
    return new Page(iova, iova, 12, true, true, tag);
  }

  private Iotlb bind(Endpoint who, long tag) {
    Iotlb space = invalidator.space(tag, endpoint);
    assertThat(who.bind(space, who.bindTicket())).isTrue();
    return space;
  }

  private void cache(Iotlb space, long iova) {
    assertThat(space.insert(page(iova, space.tag()), iova, space.ticket(iova))).isTrue();
  }

  private static boolean isCached(Endpoint who, long iova, Access access) {
    return who.cached(iova, access.rights()) != Iotlb.MISS;
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
    AccessSection section = endpoint.enter(0, -1);
    invalidate("done", Invalidation.ofSpace(TAG));
    assertThat(events).isEmpty();
    section.leave();
    assertThat(events).containsExactly("done");
    assertThat(invalidator.statistics().delayed()).isEqualTo(1);
  }

  @Test
  void itWaitsForTheSectionsOfEveryEndpoint() {
    AccessSection one = endpoint.enter(0, -1);
    AccessSection two = other.enter(0, -1);
    invalidate("done", Invalidation.ofSpace(TAG));
    one.leave();
    assertThat(events).isEmpty();
    two.leave();
    assertThat(events).containsExactly("done");
  }

  @Test
  void itDoesNotWaitForASectionThatBeganAfterIt() {
    AccessSection before = endpoint.enter(0, -1);
    invalidate("done", Invalidation.ofSpace(TAG));
    AccessSection after = endpoint.enter(0, -1);
    before.leave();
    assertThat(events).containsExactly("done");
    after.leave();
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
    AccessSection section = endpoint.enter(0, -1);
    long count = endpoint.count();
    invalidate("done", Invalidation.ofRange(TAG, 0, -1));
    Hold hold = endpoint.hold(TAG, 0, 0xFFF, count, ram, () -> events.add("ended"));
    section.leave();
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
    AccessSection section = other.enter(0, -1);
    invalidate("done", Invalidation.ofBinding(endpoint));
    assertThat(events).isEmpty();
    mine.close();
    assertThat(events).containsExactly("ended", "done");
    section.leave();
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
    AccessSection section = endpoint.enter(0, -1);
    for (int i = 0; i < 10; i++) {
      invalidate("done " + i, Invalidation.ofSpace(TAG + i));
    }
    section.leave();
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
    AccessSection section = endpoint.enter(0, -1);
    invalidator.invalidate(
        Invalidation.all(),
        () -> {
          throw new IllegalStateException("from a test");
        });
    invalidate("done", Invalidation.all());
    section.leave();
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
    AccessSection section = endpoint.enter(0, -1);
    Hold hold =
        endpoint.hold(
            TAG,
            0,
            0xFFF,
            endpoint.count(),
            ram,
            () -> {
              throw new IllegalStateException("from a test");
            });
    section.leave();
    invalidate("done", Invalidation.all());
    hold.close();
    assertThat(events).containsExactly("done");
    assertThat(endpoint.holdCount()).isZero();
  }

  @Test
  void aCompletionMayBeginTheNextInvalidation() {
    AccessSection section = endpoint.enter(0, -1);
    invalidator.invalidate(
        Invalidation.ofSpace(TAG),
        () -> {
          events.add("first");
          invalidate("second", Invalidation.ofSpace(TAG));
        });
    section.leave();
    assertThat(events).containsExactly("first", "second");
  }

  /// The chain that a queue of invalidations makes when an access holds each up: every completion
  /// begins the next, and the depth of the stack does not grow with it.
  @Test
  void aLongChainOfDelayedInvalidationsDoesNotNest() {
    for (int i = 0; i < 100_000; i++) {
      AccessSection section = endpoint.enter(0, -1);
      invalidate("done", Invalidation.ofSpace(TAG));
      section.leave();
    }
    AccessSection open = endpoint.enter(0, -1);
    for (int i = 0; i < 100_000; i++) {
      invalidate("done", Invalidation.ofSpace(TAG));
    }
    open.leave();
    assertThat(events).hasSize(200_000);
  }

  // --- what is dropped

  @Test
  void anInvalidationDropsCachedTranslationsOfItsSpaceAndRange() {
    Iotlb space = bind(endpoint, TAG);
    cache(space, 0x1000);
    cache(space, 0x2000);
    invalidate("done", Invalidation.ofRange(TAG, 0x1000, 0x1FFF));
    assertThat(isCached(endpoint, 0x1000, Access.READ)).isFalse();
    assertThat(isCached(endpoint, 0x2000, Access.READ)).isTrue();
    invalidate("other", Invalidation.ofSpace(TAG + 1));
    assertThat(isCached(endpoint, 0x2000, Access.READ)).isTrue();
    invalidate("all", Invalidation.ofTranslations());
    assertThat(isCached(endpoint, 0x2000, Access.READ)).isFalse();
    assertThat(endpoint.space()).isSameAs(space);
  }

  @Test
  void aMaskedInvalidationDropsTheTranslationsOfEachSpaceItMatches() {
    for (long tag : new long[] {0x21, 0x2F, 0x31}) {
      cache(invalidator.space(tag, endpoint), 0);
    }
    invalidate("done", new Invalidation(0xF0, 0x20, true, 0, -1, Invalidation.Binding.NONE, null));
    assertThat(invalidator.space(0x21, endpoint).lookup(0)).isNull();
    assertThat(invalidator.space(0x2F, endpoint).lookup(0)).isNull();
    assertThat(invalidator.space(0x31, endpoint).lookup(0)).isNotNull();
  }

  @Test
  void aBindingInvalidationLeavesTranslationsCached() {
    Iotlb space = bind(endpoint, TAG);
    bind(other, TAG);
    cache(space, 0);
    invalidate("done", Invalidation.ofBinding(endpoint));
    assertThat(endpoint.space()).isNull();
    assertThat(isCached(endpoint, 0, Access.READ)).isFalse();
    assertThat(isCached(other, 0, Access.READ)).isTrue();
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
    Iotlb space = invalidator.space(TAG, endpoint);
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
    space.insert(readOnly, 0, space.ticket(0));
    assertThat(isCached(endpoint, 0, Access.READ)).isTrue();
    assertThat(space.lookup(0)).isEqualTo(readOnly);
    assertThat(isCached(endpoint, 0, Access.WRITE)).isFalse();
  }

  // --- spaces beyond the limit

  @Test
  void beyondTheLimitTheCacheOfAnUnboundSpaceGoes() {
    Iotlb bound = bind(endpoint, TAG);
    cache(bound, 0);
    List<Iotlb> spaces = new ArrayList<>();
    for (long tag = 1000; tag < 1000 + 3 * Invalidator.MAX_SPACES; tag++) {
      spaces.add(invalidator.space(tag, endpoint));
    }
    long kept = spaces.stream().filter(space -> !space.isRetired()).count();
    assertThat(kept).isEqualTo(Invalidator.MAX_SPACES - 1);
    assertThat(bound.isRetired()).isFalse();
    assertThat(invalidator.space(TAG, endpoint)).isSameAs(bound);
    assertThat(isCached(endpoint, 0, Access.READ)).isTrue();
  }

  @Test
  void aCacheThatLostItsPlaceCannotBeBoundAgain() {
    Iotlb lost = invalidator.space(1, endpoint);
    for (long tag = 1000; !lost.isRetired(); tag++) {
      invalidator.space(tag, endpoint);
    }
    assertThat(endpoint.bind(lost, endpoint.bindTicket())).isFalse();
    assertThat(endpoint.space()).isNull();
    assertThat(invalidator.space(1, endpoint)).isNotSameAs(lost);
  }

  @Test
  void anAccessKeepsTheCacheThatItMayHaveAtHandAndTheNewcomerGetsItsPlaceAfterIt() {
    AccessSection section = endpoint.enter(0, -1);
    Iotlb atHand = invalidator.space(1, endpoint);
    cache(atHand, 0);
    for (long tag = 2; tag <= Invalidator.MAX_SPACES; tag++) {
      assertThat(invalidator.space(tag, endpoint).isRetired()).isFalse();
    }
    assertThat(invalidator.space(1000, endpoint).isRetired()).as("no place yet").isTrue();
    assertThat(atHand.isRetired()).isTrue();
    invalidate("done", Invalidation.ofSpace(1));
    assertThat(atHand.lookup(0)).as("an invalidation finds it until the access is over").isNull();
    section.leave();
    assertThat(events).containsExactly("done");
    assertThat(invalidator.space(1000, endpoint).isRetired()).isFalse();
    assertThat(invalidator.space(1000, endpoint)).isSameAs(invalidator.space(1000, endpoint));
  }

  @Test
  void memoriesHaveCachesOfTheirOwn() {
    GuestMemory another = new GuestMemory();
    Endpoint elsewhere = invalidator.attach(RequesterId.of(0, 4, 0), another);
    Iotlb theirs = invalidator.space(TAG, elsewhere);
    Iotlb ours = bind(endpoint, TAG);
    assertThat(theirs).isNotSameAs(ours);
    cache(theirs, 0x1000);
    cache(ours, 0x1000);
    invalidate("done", Invalidation.ofRange(TAG, 0x1000, 0x1000));
    assertThat(theirs.lookup(0x1000)).isNull();
    assertThat(ours.lookup(0x1000)).isNull();
    invalidator.detach(elsewhere);
    assertThat(theirs.isRetired()).as("nobody is left who uses the memory").isTrue();
    assertThat(ours.isRetired()).isFalse();
  }

  // --- revocation

  @Test
  void aRevocationIsCountedBeforeAnybodyIsToldOfIt() {
    endpoint.revocation(Revocation.after(Duration.ofSeconds(2)));
    hold(0, 0xFFF);
    List<Long> counted = new ArrayList<>();
    invalidator.invalidate(
        Invalidation.ofSpace(TAG), () -> counted.add(invalidator.statistics().revocations()));
    clock.advance(Duration.ofSeconds(2));
    assertThat(counted).containsExactly(1L);
  }

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
    AccessSection use = endpoint.enter(0, -1);
    invalidate("done", Invalidation.ofSpace(TAG));
    assertThat(hold.isLive()).isTrue(); // the drain has not come to holds yet
    AccessSection later = endpoint.enter(0, -1);
    use.leave();
    // Revoked now, but the section that began meanwhile may have found the hold live.
    assertThat(hold.isLive()).isFalse();
    assertThat(events).isEmpty();
    later.leave();
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
    AccessSection use = endpoint.enter(0, -1);
    hold.close();
    invalidate("done", Invalidation.ofSpace(TAG));
    assertThat(events).isEmpty();
    use.leave();
    assertThat(events).containsExactly("ended", "done");
  }

  @Test
  void memoryThatHasToGoRevokesItsHoldsAtTheirDeadline() {
    endpoint.revocation(Revocation.after(Duration.ofSeconds(1)));
    Hold hold = hold(0, 0xFFF);
    RamRegion elsewhere = RamRegion.allocate(4096);
    endpoint.surrender(elsewhere, () -> events.add("elsewhere"));
    assertThat(events).containsExactly("elsewhere");
    assertThat(clock.pending()).isZero();
    endpoint.surrender(ram, () -> events.add("let go"));
    clock.advance(Duration.ofSeconds(1));
    assertThat(hold.state()).isEqualTo(Hold.State.REVOKED);
    assertThat(events).containsExactly("elsewhere", "let go", "ended");
  }

  @Test
  void memoryThatHasToGoFindsTheHoldThatASectionIsAboutToRegister() {
    endpoint.revocation(Revocation.immediately());
    AccessSection section = endpoint.enter(0, -1);
    endpoint.surrender(ram, () -> events.add("let go"));
    Hold late = endpoint.hold(TAG, 0, 0xFFF, endpoint.count(), ram, () -> events.add("ended"));
    section.leave();
    assertThat(late.isLive()).isFalse();
    assertThat(events).containsExactly("ended", "let go");
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
    Endpoint alone = Endpoint.standalone(RequesterId.of(0, 3, 0), memory);
    AccessSection section = alone.enter(0, -1);
    alone.shutDown(() -> events.add("gone"));
    Hold late = alone.hold(0, 0, 0xFFF, alone.count(), ram, () -> events.add("ended"));
    assertThat(events).isEmpty();
    section.leave();
    assertThat(late.isLive()).isFalse();
    assertThat(events).containsExactly("ended", "gone");
  }

  @Test
  void aHostThatCannotSetADeadlineStillTellsTheInvalidationWhenTheHoldsAreOver() {
    Invalidator withoutTimers = new Invalidator(new BrokenClock());
    Endpoint device = withoutTimers.attach(RequesterId.of(0, 3, 0), memory);
    Hold one = hold(device, TAG, 0, 0xFFF);
    Hold two = hold(device, TAG, 0, 0xFFF);
    AccessSection section = device.enter(0, -1);
    withoutTimers.invalidate(Invalidation.all(), () -> events.add("done"));
    section.leave();
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
    AccessSection section = endpoint.enter(0, -1);
    invalidator.detach(endpoint);
    Hold late = endpoint.hold(TAG, 0, 0xFFF, endpoint.count(), ram, () -> events.add("ended"));
    invalidate("done", Invalidation.all());
    assertThat(events).isEmpty();
    section.leave();
    assertThat(late.isLive()).isFalse();
    assertThat(events).containsExactly("ended", "done");
    assertThat(invalidator.endpoints()).containsExactly(other);
  }
}
