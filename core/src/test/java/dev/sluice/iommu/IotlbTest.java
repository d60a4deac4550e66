package dev.sluice.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.iommu.Translation.Page;
import dev.sluice.memory.Access;
import dev.sluice.memory.FakePort;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import dev.sluice.memory.Word;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class IotlbTest {
  private static final long TAG = 3;
  private static final long GIB = 1L << 30;

  /// RAM from 0 on: the low bits of an I/O virtual address are its place there.
  private static final long RAM_SIZE = 4 << 20;

  /// The distance of two pages that have the same slot.
  private static final long ROUND = Iotlb.SLOTS * GuestMemory.PAGE;

  private final GuestMemory memory = new GuestMemory();
  private final InvalidationCount count = new InvalidationCount();
  private final Iotlb tlb = new Iotlb(TAG, memory, count);

  IotlbTest() {
    memory.addRam(0, RamRegion.allocate(RAM_SIZE));
  }

  private static Page page(long iova, int shift) {
    return page(iova, shift, Access.READ_WRITE);
  }

  private static Page page(long iova, int shift, Access access) {
    long address = shift <= 21 ? iova & (RAM_SIZE - 1) : iova;
    return new Page(iova, address, shift, access.reads(), access.writes(), TAG);
  }

  private Page insert(long iova, int shift) {
    return insertAt(iova & -(1L << shift), shift, iova);
  }

  private Page insertAt(long base, int shift, long iova) {
    Page page = page(base, shift);
    assertThat(tlb.insert(page, iova, tlb.ticket(iova))).isTrue();
    return page;
  }

  private void drop(long first, long last) {
    long number = count.begin();
    tlb.drop(first, last, number);
    count.end();
  }

  @Test
  void whatWasInsertedIsFoundAtEachOfItsAddresses() {
    Page page = insert(0x1234_5000L, 12);
    assertThat(tlb.lookup(0x1234_5000L)).isEqualTo(page);
    assertThat(tlb.lookup(0x1234_5FFFL)).isEqualTo(page);
    assertThat(tlb.lookup(0x1234_4FFFL)).isNull();
    assertThat(tlb.lookup(0x1234_6000L)).isNull();
  }

  @ParameterizedTest
  @ValueSource(ints = {12, 16, 21})
  void itLeadsStraightToTheByteInRam(int shift) {
    insert(GIB + 0x12_3000, shift);
    memory.store(0x12_3458, 8, ByteOrder.LITTLE_ENDIAN, 2012);
    Word word = new Word();
    long at = tlb.find(GIB + 0x12_3458, 3);
    assertThat(memory.ram().load(at, 8, ByteOrder.LITTLE_ENDIAN, word)).isTrue();
    assertThat(word.asLong()).isEqualTo(2012);
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  void anAccessFindsOnlyAPageThatGrantsAllItsRights(Access granted) {
    for (int shift : new int[] {12, 21}) {
      drop(0, -1);
      Page page = page(0, shift, granted);
      assertThat(tlb.insert(page, 0, tlb.ticket(0))).isTrue();
      for (Access access : Access.values()) {
        boolean allowed = (access.rights() & ~granted.rights()) == 0;
        assertThat(tlb.find(0x10, access.rights()) != Iotlb.MISS)
            .as("%s of a page for %s, shift %d", access, granted, shift)
            .isEqualTo(allowed);
      }
      assertThat(tlb.lookup(0)).isEqualTo(page);
    }
  }

  @Test
  void aPageThatGrantsNothingNeedsNoPlace() {
    Page page = new Page(0, 0, 12, false, false, TAG);
    assertThat(tlb.insert(page, 0, tlb.ticket(0))).isTrue();
    assertThat(tlb.lookup(0)).isNull();
  }

  @Test
  void whatIsNotRamIsKnownButLeadsToNoRam() {
    memory.addMessageOnly(RAM_SIZE, 0x1000, true, new FakePort(RAM_SIZE, 0x1000));
    for (long address : new long[] {RAM_SIZE, 1L << 40}) {
      Page page = new Page(0x5000, address, 12, true, true, TAG);
      assertThat(tlb.insert(page, 0x5000, tlb.ticket(0x5000))).isTrue();
      assertThat(tlb.lookup(0x5123)).isEqualTo(page);
      assertThat(tlb.find(0x5123, 1)).isEqualTo(Iotlb.MISS);
      drop(0, -1);
      assertThat(tlb.lookup(0x5123)).isNull();
    }
  }

  @Test
  void anAddressWithOtherHighBitsIsNotMistakenForTheCachedOne() {
    insert(0x5000, 12);
    for (int bit = 12; bit < 64; bit++) {
      assertThat(tlb.lookup(0x5000 ^ (1L << bit))).isNull();
      assertThat(tlb.find(0x5000 ^ (1L << bit), 1)).isEqualTo(Iotlb.MISS);
    }
  }

  @Test
  void addressesOfMoreThan48BitsAreToldFromTheirLowBits() {
    long wide = 0x1234_0000_0000_5000L;
    Page page = insert(wide, 12);
    assertThat(tlb.lookup(wide + 0xFFF)).isEqualTo(page);
    assertThat(tlb.find(wide, 3)).isEqualTo(memory.ramAddress(0x5000, 1, true));
    for (int bit = 48; bit < 64; bit++) {
      assertThat(tlb.lookup(wide ^ (1L << bit))).isNull();
    }
    Page low = insert(0x5000, 12);
    assertThat(tlb.lookup(wide)).isEqualTo(page);
    drop(wide, wide);
    assertThat(tlb.lookup(wide)).isNull();
    assertThat(tlb.lookup(0x5000)).isEqualTo(low);
  }

  @Test
  void pagesWithOtherHighBitsStandBesideThoseThatCameFirst() {
    long wide = 0x0800_0000_0000_5000L;
    Page first = insert(wide, 12);
    Page second = insert(wide + (1L << 48), 12);
    assertThat(tlb.lookup(wide)).isEqualTo(first);
    assertThat(tlb.lookup(wide + (1L << 48))).isEqualTo(second);
    drop(wide, wide);
    assertThat(tlb.find(wide, 1)).isEqualTo(Iotlb.MISS);
    assertThat(tlb.find(wide + (1L << 48), 1)).isNotEqualTo(Iotlb.MISS);
    insert(wide, 12);
    drop(0, wide - 1);
    drop(wide + 0x1000, wide + 0x1FFF);
    drop(wide + (1L << 49), -1);
    assertThat(tlb.find(wide, 1)).isNotEqualTo(Iotlb.MISS);
    drop(0, -1);
    assertThat(tlb.find(wide, 1)).isEqualTo(Iotlb.MISS);
    assertThat(tlb.find(wide + (1L << 48), 1)).isEqualTo(Iotlb.MISS);
  }

  @Test
  void anInvalidationBeforeTheFirstPageOfAllStopsAWalkToWhateverAddress() {
    for (long iova : new long[] {0x5000, 0x0800_0000_0000_5000L}) {
      Iotlb fresh = new Iotlb(TAG, memory, count);
      long ticket = fresh.ticket(iova);
      long number = count.begin();
      fresh.drop(iova, iova + 0xFFF, number);
      count.end();
      assertThat(fresh.insert(page(iova, 12), iova, ticket)).isFalse();
      assertThat(fresh.lookup(iova)).isNull();
    }
  }

  @Test
  void largePagesAndSmallOnesStandSideBySide() {
    Page large = insert(2 * GIB, 21);
    Page small = insert(2 * GIB + 0x3000, 12);
    assertThat(tlb.lookup(2 * GIB + 0x3000)).isEqualTo(small);
    assertThat(tlb.lookup(2 * GIB + 0x4000)).isEqualTo(large);
    assertThat(tlb.lookup(2 * GIB + 0x1F_FFFF)).isEqualTo(large);
    assertThat(tlb.lookup(2 * GIB + 0x20_0000)).isNull();
  }

  @Test
  void largePagesOfOneSlotAreToldApartByEachOtherBit() {
    Page large = insert(5 << 21, 21);
    for (int bit = 21; bit < 64; bit++) {
      long other = 5 << 21 ^ 1L << bit;
      assertThat(tlb.lookup(other)).isNull();
      assertThat(tlb.find(other, 1)).isEqualTo(Iotlb.MISS);
      drop(other, other);
      assertThat(tlb.lookup(5 << 21)).as("bit %d", bit).isEqualTo(large);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aLargePageReplacesTheOneBeforeWhereverThatLies(boolean ramFirst) {
    long iova = 5 << 21;
    Page inRam = page(iova, 21);
    Page elsewhere = new Page(iova, 1L << 40, 21, true, true, TAG);
    Page first = ramFirst ? inRam : elsewhere;
    Page second = ramFirst ? elsewhere : inRam;
    assertThat(tlb.insert(first, iova, tlb.ticket(iova))).isTrue();
    assertThat(tlb.lookup(iova)).isEqualTo(first);
    assertThat(tlb.insert(second, iova, tlb.ticket(iova))).isTrue();
    assertThat(tlb.lookup(iova)).isEqualTo(second);
    assertThat(tlb.find(iova, 3) == Iotlb.MISS).isEqualTo(ramFirst);
    drop(iova, iova);
    assertThat(tlb.lookup(iova)).isNull();
  }

  @Test
  void aLargePageMayLoseRights() {
    assertThat(tlb.insert(page(0, 21), 0, tlb.ticket(0))).isTrue();
    assertThat(tlb.insert(page(0, 21, Access.READ), 0, tlb.ticket(0))).isTrue();
    assertThat(tlb.find(0, 1)).isNotEqualTo(Iotlb.MISS);
    assertThat(tlb.find(0, 2)).isEqualTo(Iotlb.MISS);
  }

  @Test
  void thePagesOfTheTopOfTheAddressSpaceAreFound() {
    Page top = insert(-4096, 12);
    assertThat(tlb.lookup(-1)).isEqualTo(top);
    drop(-1, -1);
    assertThat(tlb.lookup(-1)).isNull();

    Page half = insert(-1, 63);
    assertThat(tlb.lookup(-1)).isEqualTo(half);
    assertThat(half.last()).isEqualTo(-1);
    drop(Long.MIN_VALUE, Long.MIN_VALUE);
    assertThat(tlb.lookup(-1)).isNull();
  }

  @Test
  void aTakenSlotGoesToTheNewcomer() {
    insert(0x5000, 12);
    Page second = insert(0x5000 + ROUND, 12);
    assertThat(tlb.lookup(0x5000)).isNull();
    assertThat(tlb.lookup(0x5000 + ROUND)).isEqualTo(second);
    Page again = insert(0x5000, 12);
    assertThat(tlb.lookup(0x5000)).isEqualTo(again);
    assertThat(tlb.lookup(0x5000 + ROUND)).isNull();
  }

  @Test
  void aPageWithMoreRightsReplacesTheOneWithFewer() {
    assertThat(tlb.insert(page(0, 12, Access.READ), 0, tlb.ticket(0))).isTrue();
    assertThat(tlb.find(0, 2)).isEqualTo(Iotlb.MISS);
    assertThat(tlb.insert(page(0, 12), 0, tlb.ticket(0))).isTrue();
    assertThat(tlb.find(0, 2)).isNotEqualTo(Iotlb.MISS);
  }

  // --- walks that come late

  @ParameterizedTest
  @ValueSource(ints = {12, 21})
  void aWalkThatBeganBeforeAnInvalidationInsertsNothingAfterIt(int shift) {
    long ticket = tlb.ticket(0x5000);
    drop(0x5000, 0x5FFF);
    Page page = page(0x5000 & -(1L << shift), shift);
    assertThat(tlb.insert(page, 0x5000, ticket)).isFalse();
    assertThat(tlb.lookup(0x5000)).isNull();
    assertThat(tlb.insert(page, 0x5000, tlb.ticket(0x5000))).isTrue();
  }

  @Test
  void neitherDoesOneThatFoundTheSlotTaken() {
    insert(0x5000 + ROUND, 12);
    long ticket = tlb.ticket(0x5000);
    drop(0x5000, 0x5FFF);
    assertThat(tlb.insert(page(0x5000, 12), 0x5000, ticket)).isFalse();
    assertThat(tlb.lookup(0x5000)).isNull();
    insert(0x5000, 12);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aSlotThatWasFilledAndEmptiedInBetweenDoesNotLookUntouched(boolean taken) {
    if (taken) {
      insert(0x5000 + ROUND, 12);
    }
    long late = tlb.ticket(0x5000);
    insert(0x5000, 12); // another walk, as fresh
    drop(0x5000, 0x5FFF);
    assertThat(tlb.insert(page(0x5000, 12), 0x5000, late)).isFalse();
    insert(0x5000, 12); // by the new tables
    assertThat(tlb.insert(page(0x5000, 12, Access.READ), 0x5000, late)).isFalse();
    assertThat(tlb.find(0x5000, 3)).isNotEqualTo(Iotlb.MISS);
  }

  @Test
  void ofTwoWalksAtATimeNeitherTakesTheOthersMarkForItsOwn() {
    insert(0x5000 + ROUND, 12);
    long one = tlb.ticket(0x5000);
    long two = tlb.ticket(0x5000);
    assertThat(one).isNotEqualTo(two);
    assertThat(tlb.insert(page(0x5000, 12), 0x5000, one)).isFalse();
    assertThat(tlb.insert(page(0x5000, 12), 0x5000, two)).isTrue();
    assertThat(tlb.insert(page(0x5000, 12), 0x5000, one)).isFalse();
  }

  @Test
  void theMarksOfManyWalksDifferAndAllowNothing() {
    insert(0x5000 + ROUND, 12);
    Set<Long> marks = new HashSet<>();
    for (int i = 0; i < 1 << 18; i++) {
      assertThat(marks.add(tlb.ticket(0x5000))).isTrue();
      assertThat(tlb.find(0x5000, 1) & tlb.find(0x5000, 2)).isEqualTo(Iotlb.MISS);
    }
  }

  @Test
  void aMarkTellsEveryBitOfItsWalkAndOfTheCountFromEveryOther() {
    long none = Iotlb.mark(0, 0);
    assertThat(none).isNegative();
    Set<Long> bits = new HashSet<>();
    for (int bit = 0; bit < 27; bit++) {
      assertThat(bits.add(none ^ Iotlb.mark(1L << bit, 0))).as("walk, bit %d", bit).isTrue();
    }
    for (int bit = 0; bit < 34; bit++) {
      assertThat(bits.add(none ^ Iotlb.mark(0, 1L << bit))).as("count, bit %d", bit).isTrue();
    }
    long rights = 3 << 8;
    assertThat(bits).allMatch(bit -> Long.bitCount(bit) == 1 && (bit & rights) == 0);
  }

  @Test
  void theMarkOfAWalkThatFoundNothingKeepsNoOtherOut() {
    insert(0x5000 + ROUND, 12);
    tlb.ticket(0x5000); // of a walk that ends with a fault
    insert(0x5000, 12);
  }

  @Test
  void anInvalidationElsewhereDoesNotSpoilAWalk() {
    long empty = tlb.ticket(0x5000);
    insert(0x6000 + ROUND, 12);
    long taken = tlb.ticket(0x6000);
    drop(0x9000, 0x9FFF);
    assertThat(tlb.insert(page(0x5000, 12), 0x5000, empty)).isTrue();
    assertThat(tlb.insert(page(0x6000, 12), 0x6000, taken)).isTrue();
  }

  @Test
  void aWalkThatBeganDuringAnInvalidationReadsItsTablesAndMayInsertAfterIt() {
    long number = count.begin();
    long ticket = tlb.ticket(0x5000);
    tlb.drop(0x5000, 0x5FFF, number);
    count.end();
    assertThat(tlb.insert(page(0x5000, 12), 0x5000, ticket)).isTrue();
  }

  /// Generations come back, so several times as many as there are.
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void noWalkFromBeforeAnInvalidationOfEverythingInsertsAfterIt(boolean taken) {
    for (int round = 0; round < 20; round++) {
      if (taken) {
        insert(0x5000 + ROUND, 12);
      }
      long late = tlb.ticket(0x5000);
      for (int i = 0; i <= round; i++) {
        drop(0, -1);
        assertThat(tlb.insert(page(0x5000, 12), 0x5000, late)).isFalse();
        assertThat(tlb.lookup(0x5000)).isNull();
        assertThat(tlb.lookup(0x5000 + ROUND)).isNull();
      }
      insert(0x5000, 12);
      assertThat(tlb.find(0x5000, 3)).isNotEqualTo(Iotlb.MISS);
      drop(0x5000, 0x5FFF);
    }
  }

  @Test
  void whatIsNotVisitedBetweenInvalidationsOfEverythingDoesNotComeBack() {
    for (int page = 0; page < 64; page++) {
      insert(page << 12, 12);
    }
    for (int i = 0; i < 20; i++) {
      drop(0, -1);
      for (int page = 0; page < 64; page++) {
        assertThat(tlb.lookup(page << 12)).isNull();
        assertThat(tlb.find(page << 12, 1)).isEqualTo(Iotlb.MISS);
      }
      insert(i << 12, 12);
      assertThat(tlb.lookup(i << 12)).isNotNull();
    }
  }

  @Test
  void aCacheThatIsMadeAfterAnInvalidationTakesNoWalkFromBefore() {
    drop(0, -1);
    Iotlb young = new Iotlb(TAG, memory, count);
    assertThat(young.insert(page(0, 12), 0, young.ticket(0))).isTrue();
    assertThat(young.insert(page(0x20_0000, 21), 0x20_0000, young.ticket(0x20_0000))).isTrue();
  }

  @Test
  void aPartOfAPageIsNotCached() {
    assertThatThrownBy(() -> tlb.insert(page(0, 11), 0, tlb.ticket(0)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aPageOfAnotherSpaceOrAnotherAddressIsAMistakeOfTheModel() {
    assertThatThrownBy(() -> tlb.insert(new Page(0, 0, 12, true, true, TAG + 1), 0, tlb.ticket(0)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> tlb.insert(page(0, 12), 4096, tlb.ticket(4096)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  // --- what an invalidation drops

  @ParameterizedTest
  @ValueSource(ints = {12, 21})
  void aNarrowInvalidationDropsWhatItTouchesAndNothingElse(int shift) {
    long size = 1L << shift;
    for (int i = 0; i < 8; i++) {
      insert(GIB + i * size, shift);
    }
    // From the last byte of page 2 to the first of page 4.
    drop(GIB + 3 * size - 1, GIB + 4 * size);
    for (int i = 0; i < 8; i++) {
      boolean dropped = i >= 2 && i <= 4;
      assertThat(tlb.lookup(GIB + i * size) == null).as("page %d", i).isEqualTo(dropped);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {21, 30, 39, 63})
  void anInvalidationOfOneByteDropsTheLargePageAroundIt(int shift) {
    insert(0x7000, shift);
    insert(5000 * 4096L, 12);
    long byteInside = (1L << Math.min(shift, 40)) - 3;
    assertThat(tlb.lookup(0x7000)).isNotNull();
    drop(byteInside, byteInside);
    assertThat(tlb.lookup(0x7000)).isNull();
    assertThat(tlb.lookup(5000 * 4096L)).isNotNull();
  }

  @ParameterizedTest
  @ValueSource(ints = {13, 16, 20, 22, 30})
  void aPageOfAnOddSizeIsDroppedFromEverySlotItStandsIn(int shift) {
    long base = 4L << shift;
    long last = base + (1L << shift) - 1;
    insertAt(base, shift, base);
    insertAt(base, shift, last);
    drop(base + 100, base + 100);
    assertThat(tlb.lookup(base)).isNull();
    assertThat(tlb.lookup(last)).isNull();
  }

  @Test
  void oddSizesAreForgottenWhenTheLastOfThemIsGone() {
    insert(GIB, 30);
    drop(0, 0); // a scan that leaves it
    assertThat(tlb.lookup(GIB)).isNotNull();
    drop(GIB, GIB); // a scan that drops it
    Page page = insert(0x5000, 21);
    drop(GIB, GIB); // no scan any more
    assertThat(tlb.lookup(0x5000)).isEqualTo(page);
    drop(0x5000, 0x5000);
    assertThat(tlb.lookup(0x5000)).isNull();
  }

  @Test
  void anInvalidationOfTheWholeSpaceDropsEverything() {
    long[] iovas = {0, 0x7FFF_F000L, GIB, 64 * GIB, -4096};
    int[] shifts = {12, 12, 21, 30, 12};
    for (int i = 0; i < iovas.length; i++) {
      insert(iovas[i], shifts[i]);
    }
    drop(0, -1);
    for (long iova : iovas) {
      assertThat(tlb.lookup(iova)).isNull();
    }
  }

  @Test
  void anInvalidationThatBeginsBelowTheWideAddressesReachesThem() {
    insert(0xFFFF_FFFF_F000L, 12);
    insert(0x1_0000_0000_0000L, 12);
    drop(0xFFFF_FFFF_FFFFL, 0x1_0000_0000_0000L);
    assertThat(tlb.lookup(0xFFFF_FFFF_F000L)).isNull();
    assertThat(tlb.lookup(0x1_0000_0000_0000L)).isNull();
  }

  /// Against a list that forgets nothing but what is invalidated: whatever the cache still knows is
  /// in the list, and nothing of an invalidated range is known.
  @ParameterizedTest
  @ValueSource(longs = {0, 0x800_0000_0000_0000L, -1L << 48})
  void afterRandomInsertsAndInvalidationsNothingInvalidatedIsLeft(long window) {
    SplittableRandom random = new SplittableRandom(2012);
    long[] windows = {window, window, window + (1L << 48)};
    int[] shifts = {12, 12, 12, 21, 21, 16, 30};
    List<Page> model = new ArrayList<>();
    for (int step = 0; step < 20_000; step++) {
      long iova = windows[random.nextInt(windows.length)] + random.nextLong(8 * GIB);
      int shift = shifts[random.nextInt(shifts.length)];
      if (random.nextInt(3) > 0) {
        model.add(insert(iova, shift));
      } else {
        long run = random.nextLong() >>> random.nextInt(4, 60);
        long last = iova + Math.min(run, ~iova);
        drop(iova, last);
        model.removeIf(page ->
            Long.compareUnsigned(page.iova(), last) <= 0
                && Long.compareUnsigned(iova, page.last()) <= 0);
        for (int i = 0; i < 32; i++) {
          Page found = tlb.lookup(iova + random.nextLong(Math.clamp(last - iova + 1, 1, 8 * GIB)));
          if (found != null) {
            throw new AssertionError("step " + step + ": still cached: " + found);
          }
        }
      }
      Page cached = tlb.lookup(iova);
      if (cached != null && !model.contains(cached)) {
        throw new AssertionError("step " + step + ": dropped, yet cached: " + cached);
      }
      if (model.size() > 2000) {
        drop(0, -1);
        model.clear();
      }
    }
  }
}
