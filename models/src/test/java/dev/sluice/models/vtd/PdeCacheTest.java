package dev.sluice.models.vtd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.models.walk.RadixWalk;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PdeCacheTest {
  private static final int READ = 1;
  private static final int READ_WRITE = 3;
  private static final long REGION = 1L << 21;
  private static final long IOVA = 0x1234_5678_9000L;
  private static final long TABLE = 0x000F_EDCB_A987_6000L;

  /// In the same slot.
  private static final long ELSEWHERE = IOVA + PdeCache.SLOTS * REGION;

  private final PdeCache cache = new PdeCache(7);

  private void keep(long iova, long table, int rights) {
    cache.insert(iova, RadixWalk.lastTable(table, rights), cache.ticket(iova));
  }

  private boolean knows(long iova) {
    return cache.find(iova, READ) != PdeCache.NONE;
  }

  @Test
  void aTableIsFoundForItsTwoMebibytesAndNoOthers() {
    keep(IOVA, TABLE, READ_WRITE);
    long first = IOVA & -REGION;
    assertThat(cache.find(first, READ)).isEqualTo(RadixWalk.lastTable(TABLE, READ_WRITE));
    assertThat(cache.find(first + REGION - 1, READ_WRITE))
        .isEqualTo(RadixWalk.lastTable(TABLE, READ_WRITE));
    for (int bit = 21; bit < 64; bit++) {
      assertThat(knows(IOVA ^ (1L << bit))).as("bit %d", bit).isFalse();
    }
  }

  @Test
  void everyBitOfAnAddressIsKept() {
    for (int bit = 12; bit < 52; bit++) {
      keep(0, 1L << bit, READ);
      assertThat(cache.find(0, READ)).isEqualTo(RadixWalk.lastTable(1L << bit, READ));
    }
  }

  @Test
  void aTableIsFoundForTheAccessesThatItsEntriesLetThrough() {
    keep(IOVA, TABLE, READ);
    assertThat(cache.find(IOVA, READ)).isNotEqualTo(PdeCache.NONE);
    assertThat(cache.find(IOVA, 2)).isEqualTo(PdeCache.NONE);
    assertThat(cache.find(IOVA, READ_WRITE)).isEqualTo(PdeCache.NONE);
  }

  @Test
  void aTableTakesTheSlotOfAnother() {
    keep(ELSEWHERE, TABLE, READ);
    keep(IOVA, TABLE, READ);
    assertThat(knows(IOVA)).isTrue();
    assertThat(knows(ELSEWHERE)).isFalse();
  }

  @Test
  void aRangeIsDroppedToItsEnds() {
    for (long region = 0; region < 6; region++) {
      keep(region * REGION, TABLE, READ);
    }
    cache.dropRange(2 * REGION - 1, 4 * REGION);
    assertThat(List.of(0L, 1L, 2L, 3L, 4L, 5L))
        .filteredOn(region -> knows(region * REGION))
        .containsExactly(0L, 5L);
  }

  @Test
  void aRangeGoesRoundTheSlots() {
    long last = (PdeCache.SLOTS - 1) * REGION;
    keep(last, TABLE, READ);
    keep(last + REGION, TABLE, READ);
    keep(last + 2 * REGION, TABLE, READ);
    cache.dropRange(last, last + REGION);
    assertThat(knows(last)).isFalse();
    assertThat(knows(last + REGION)).isFalse();
    assertThat(knows(last + 2 * REGION)).isTrue();
  }

  static List<Consumer<PdeCache>> drops() {
    return List.of(
        PdeCache::dropAll,
        cache -> cache.dropRange(IOVA, IOVA),
        cache -> cache.dropRange(0, (1L << 48) - 1),
        // 1 GiB, as many regions as slots.
        cache -> cache.dropRange(0x1234_4000_0000L, 0x1234_7FFF_FFFFL));
  }

  @ParameterizedTest
  @MethodSource("drops")
  void aDropTakesWhatIsThere(Consumer<PdeCache> drop) {
    keep(IOVA, TABLE, READ);
    drop.accept(cache);
    assertThat(knows(IOVA)).isFalse();
  }

  @ParameterizedTest
  @MethodSource("drops")
  void aWalkThatBeganBeforeADropLeavesNothing(Consumer<PdeCache> drop) {
    drop.accept(cache);
    long ticket = cache.ticket(IOVA);
    drop.accept(cache);
    cache.insert(IOVA, RadixWalk.lastTable(TABLE, READ), ticket);
    assertThat(knows(IOVA)).isFalse();
  }

  @ParameterizedTest
  @MethodSource("drops")
  void norDoesOneThatMetAnotherTableWhichIsThereAgain(Consumer<PdeCache> drop) {
    keep(ELSEWHERE, TABLE, READ);
    long ticket = cache.ticket(IOVA);
    drop.accept(cache);
    keep(ELSEWHERE, TABLE, READ);
    cache.insert(IOVA, RadixWalk.lastTable(TABLE, READ), ticket);
    assertThat(knows(IOVA)).isFalse();
    assertThat(knows(ELSEWHERE)).isTrue();
  }

  @Test
  void ofTwoWalksThatBeganTogetherTheFirstKeepsItsTable() {
    long first = cache.ticket(IOVA);
    long second = cache.ticket(ELSEWHERE);
    cache.insert(IOVA, RadixWalk.lastTable(TABLE, READ), first);
    cache.insert(ELSEWHERE, RadixWalk.lastTable(TABLE, READ), second);
    assertThat(knows(IOVA)).isTrue();
    assertThat(knows(ELSEWHERE)).isFalse();
  }

  private final PdeCaches caches = new PdeCaches();

  private PdeCache of(int domain) {
    return Objects.requireNonNull(caches.of(domain));
  }

  @Test
  void domainsHaveTablesOfTheirOwn() {
    assertThat(caches.find(7)).isNull();
    PdeCache seven = of(7);
    assertThat(caches.of(7)).isSameAs(seven);
    assertThat(caches.find(7)).isSameAs(seven);
    assertThat(caches.find(7 + DmaTranslation.IDENTITY_TAG)).isNull();
    assertThat(of(8).domainId()).isEqualTo(8);
  }

  @Test
  void aPlaceIsOfItsFirstDomainUntilAReset() {
    int other = 7 + PdeCaches.MAX_DOMAINS;
    PdeCache seven = of(7);
    assertThat(caches.of(other)).isNull();
    assertThat(caches.find(other)).isNull();
    assertThat(caches.of(7)).isSameAs(seven);
    caches.dropAll();
    assertThat(caches.of(other)).isNull();
    caches.forgetAll();
    assertThat(caches.find(7)).isNull();
    assertThat(of(other).domainId()).isEqualTo(other);
  }

  @Test
  void aDropIsOfADomainOrOfAll() {
    long walk = RadixWalk.lastTable(TABLE, READ);
    for (int domain = 1; domain <= 2; domain++) {
      of(domain).insert(IOVA, walk, of(domain).ticket(IOVA));
    }
    caches.dropDomain(3);
    caches.dropRange(1, IOVA + REGION, IOVA + REGION);
    assertThat(of(1).find(IOVA, READ)).isEqualTo(walk);
    caches.dropDomain(1);
    assertThat(of(1).find(IOVA, READ)).isEqualTo(PdeCache.NONE);
    assertThat(of(2).find(IOVA, READ)).isEqualTo(walk);
    caches.dropAll();
    assertThat(of(2).find(IOVA, READ)).isEqualTo(PdeCache.NONE);
  }
}
