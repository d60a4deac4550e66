package dev.sluice.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.iommu.Translation.Page;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IotlbTest {
  private static final long TAG = 3;
  private static final long GIB = 1L << 30;

  private final Iotlb tlb = new Iotlb(TAG);

  private static Page page(long iova, int shift) {
    return new Page(iova, iova, shift, true, true, TAG);
  }

  private Page insert(long iova, int shift) {
    return insertAt(iova & -(1L << shift), shift, iova);
  }

  private Page insertAt(long base, int shift, long iova) {
    Page page = page(base, shift);
    assertThat(tlb.insert(page, iova, tlb.ticket())).isTrue();
    return page;
  }

  @Test
  void whatWasInsertedIsFoundAtEachOfItsAddresses() {
    Page page = insert(0x1234_5000L, 12);
    assertThat(tlb.lookup(0x1234_5000L)).isSameAs(page);
    assertThat(tlb.lookup(0x1234_5FFFL)).isSameAs(page);
    assertThat(tlb.lookup(0x1234_4FFFL)).isNull();
    assertThat(tlb.lookup(0x1234_6000L)).isNull();
  }

  @Test
  void anAddressWithOtherHighBitsIsNotMistakenForTheCachedOne() {
    insert(0x5000, 12);
    for (int bit = 12; bit < 64; bit++) {
      assertThat(tlb.lookup(0x5000 ^ (1L << bit))).isNull();
    }
  }

  @Test
  void largePagesAndSmallOnesStandSideBySide() {
    Page large = insert(2 * GIB, 21);
    Page small = insert(2 * GIB + 0x3000, 12);
    assertThat(tlb.lookup(2 * GIB + 0x3000)).isSameAs(small);
    assertThat(tlb.lookup(2 * GIB + 0x4000)).isSameAs(large);
    assertThat(tlb.lookup(2 * GIB + 0x1F_FFFF)).isSameAs(large);
    assertThat(tlb.lookup(2 * GIB + 0x20_0000)).isNull();
  }

  @Test
  void thePagesOfTheTopOfTheAddressSpaceAreFound() {
    Page top = insert(-4096, 12);
    assertThat(tlb.lookup(-1)).isSameAs(top);
    tlb.drop(-1, -1);
    assertThat(tlb.lookup(-1)).isNull();

    Page half = insert(-1, 63);
    assertThat(tlb.lookup(-1)).isSameAs(half);
    assertThat(half.last()).isEqualTo(-1);
    tlb.drop(Long.MIN_VALUE, Long.MIN_VALUE);
    assertThat(tlb.lookup(-1)).isNull();
  }

  @Test
  void aTakenSlotGoesToTheNewcomer() {
    insert(0x5000, 12);
    insert(0x5000 + 4096 * 4096L, 12);
    assertThat(tlb.lookup(0x5000)).isNull();
    assertThat(tlb.lookup(0x5000 + 4096 * 4096L)).isNotNull();
  }

  @Test
  void aWalkThatBeganBeforeAnInvalidationInsertsNothingAfterIt() {
    long ticket = tlb.ticket();
    tlb.drop(0x9000, 0x9FFF);
    assertThat(tlb.insert(page(0x5000, 12), 0x5000, ticket)).isFalse();
    assertThat(tlb.lookup(0x5000)).isNull();
    assertThat(tlb.insert(page(0x5000, 12), 0x5000, tlb.ticket())).isTrue();
  }

  @Test
  void aPageOfAnotherSpaceOrAnotherAddressIsAMistakeOfTheModel() {
    assertThatThrownBy(() -> tlb.insert(new Page(0, 0, 12, true, true, TAG + 1), 0, tlb.ticket()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> tlb.insert(page(0, 12), 4096, tlb.ticket()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(ints = {12, 21})
  void aNarrowInvalidationDropsWhatItTouchesAndNothingElse(int shift) {
    long size = 1L << shift;
    for (int i = 0; i < 8; i++) {
      insert(GIB + i * size, shift);
    }
    // From the last byte of page 2 to the first of page 4.
    tlb.drop(GIB + 3 * size - 1, GIB + 4 * size);
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
    tlb.drop(byteInside, byteInside);
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
    tlb.drop(base + 100, base + 100);
    assertThat(tlb.lookup(base)).isNull();
    assertThat(tlb.lookup(last)).isNull();
  }

  @Test
  void oddSizesAreForgottenWhenTheLastOfThemIsGone() {
    insert(GIB, 30);
    tlb.drop(0, 0); // a scan that leaves it
    assertThat(tlb.lookup(GIB)).isNotNull();
    tlb.drop(GIB, GIB); // a scan that drops it
    Page page = insert(0x5000, 12);
    tlb.drop(0x9000, 0x9000); // no scan any more
    assertThat(tlb.lookup(0x5000)).isSameAs(page);
    tlb.drop(0x5000, 0x5000);
    assertThat(tlb.lookup(0x5000)).isNull();
  }

  @Test
  void anInvalidationOfTheWholeSpaceDropsEverything() {
    insert(0, 12);
    insert(0x7FFF_F000L, 12);
    insert(GIB, 21);
    insert(64 * GIB, 30);
    insert(-4096, 12);
    tlb.drop(0, -1);
    for (long iova : new long[] {0, 0x7FFF_F000L, GIB, 64 * GIB, -4096}) {
      assertThat(tlb.lookup(iova)).isNull();
    }
  }

  @Test
  void aRetiredCacheStaysEmpty() {
    insert(0, 12);
    tlb.retire();
    assertThat(tlb.isRetired()).isTrue();
    assertThat(tlb.lookup(0)).isNull();
    assertThat(tlb.insert(page(0, 12), 0, tlb.ticket())).isFalse();
  }

  /// Against a list that forgets nothing but what is invalidated: whatever the cache still knows is
  /// in the list, and nothing of an invalidated range is known.
  @Test
  void afterRandomInsertsAndInvalidationsNothingInvalidatedIsLeft() {
    SplittableRandom random = new SplittableRandom(2012);
    int[] shifts = {12, 12, 12, 21, 21, 16, 30};
    List<Page> model = new ArrayList<>();
    for (int step = 0; step < 20_000; step++) {
      long iova = random.nextLong(8 * GIB);
      int shift = shifts[random.nextInt(shifts.length)];
      if (random.nextInt(3) > 0) {
        model.add(insert(iova, shift));
      } else {
        long last = iova + (random.nextLong() >>> random.nextInt(20, 60));
        tlb.drop(iova, last);
        model.removeIf(page -> page.iova() <= last && iova <= page.last());
        for (int i = 0; i < 32; i++) {
          Page found = tlb.lookup(iova + random.nextLong(Math.min(last - iova + 1, 8 * GIB)));
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
        tlb.drop(0, -1);
        model.clear();
      }
    }
  }
}
