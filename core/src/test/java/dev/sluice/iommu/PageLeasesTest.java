package dev.sluice.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.iommu.PageLeases.Query;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/// Which leases are found, by address and otherwise, and that each is given back once.
class PageLeasesTest {
  private static final long TAG = 5;
  private static final long PAGE = 4096;

  private final AccessSection section = new AccessSection(Thread.currentThread(), false);
  private final PageLeases leases = section.leases();

  private PageLease take(long first, long last, long tag, long count, long ram) {
    PageLease lease = new PageLease();
    assertThat(take(lease, first, last, tag, count, ram)).isTrue();
    return lease;
  }

  private boolean take(PageLease into, long first, long last, long tag, long count, long ram) {
    section.begin(tag, first, last);
    try {
      return leases.take(into, tag, first, last, count, ram);
    } finally {
      section.leave();
    }
  }

  private PageLease take(long page) {
    return take(page * PAGE, page * PAGE + (PAGE - 1), TAG, 0, 0);
  }

  private static Query over(long first, long last) {
    return new Query(-1, TAG, first, last, 2, -1);
  }

  private int found(Query what) {
    int[] found = {0};
    leases.forEach(what, (_, _, _) -> found[0]++);
    assertThat(leases.hasAny(what)).isEqualTo(found[0] > 0);
    return found[0];
  }

  private static void onAnotherThread(Runnable what) throws InterruptedException {
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
    thread.join();
    assertThat(thread.isAlive()).isFalse();
    assertThat(thrown.get()).isNull();
  }

  private void revoke(Query what) {
    leases.forEach(what, (table, cell, word) -> assertThat(table.revoke(cell, word)).isTrue());
  }

  // --- what is found

  @Test
  void aLeaseIsFoundByEveryByteOfItAndNoOther() {
    PageLease lease = take(0x5100, 0x51FF, TAG, 0, 0);
    assertThat(lease.isLive()).isTrue();
    assertThat(found(over(0x5100, 0x5100))).isEqualTo(1);
    assertThat(found(over(0x51FF, 0x51FF))).isEqualTo(1);
    assertThat(found(over(0, -1))).isEqualTo(1);
    assertThat(found(over(0x5000, 0x50FF))).isZero();
    assertThat(found(over(0x5200, 0x5FFF))).isZero();
    assertThat(found(over(0x6000, -1))).isZero();
    lease.close();
    assertThat(found(over(0, -1))).isZero();
  }

  @Test
  void aLeaseIsOfOneAddressSpace() {
    take(0, 0xFFF, 0x25, 0, 0);
    assertThat(found(new Query(-1, 0x25, 0, -1, 2, -1))).isEqualTo(1);
    assertThat(found(new Query(-1, 0x26, 0, -1, 2, -1))).isZero();
    assertThat(found(new Query(0xF0, 0x2F, 0, -1, 2, -1))).isEqualTo(1);
    assertThat(found(new Query(0, 0, 0, -1, 2, -1))).isEqualTo(1);
  }

  @Test
  void aLeaseTakenUnderALaterCountIsNotMeant() {
    PageLease lease = take(0, 0xFFF, TAG, 2, 0);
    assertThat(lease.count()).isEqualTo(2);
    assertThat(found(new Query(-1, TAG, 0, -1, 2, -1))).isZero();
    assertThat(found(new Query(-1, TAG, 0, -1, 3, -1))).isEqualTo(1);
  }

  @Test
  void aLeaseIsFoundByTheNumberOfItsRam() {
    take(0, 0xFFF, TAG, 0, (3L << 40) | 0x1000);
    assertThat(found(new Query(0, 0, 0, -1, 2, 3))).isEqualTo(1);
    assertThat(found(new Query(0, 0, 0, -1, 2, 4))).isZero();
  }

  @Test
  void tenThousandLeasesAreFoundEachByItsPage() {
    List<PageLease> all = new ArrayList<>();
    for (int page = 0; page < 10_000; page++) {
      all.add(take(page));
    }
    assertThat(leases.size()).isEqualTo(10_000);
    assertThat(found(over(0, -1))).isEqualTo(10_000);
    for (int page = 0; page < 10_000; page += 7) {
      assertThat(found(over(page * PAGE, page * PAGE))).as("page %d", page).isEqualTo(1);
    }
    assertThat(found(over(100 * PAGE, 1100 * PAGE - 1))).isEqualTo(1000);
    for (int page = 0; page < 10_000; page++) {
      all.get(page).close();
    }
    assertThat(leases.size()).isZero();
    assertThat(section.mayHaveLeases()).isFalse();
    assertThat(section.hadLeases()).isTrue();
  }

  /// Tables grow with the number of leases, not because one page is mapped many times.
  @Test
  void whatHasNoRoomAmongItsLikeIsRefusedUntilOneIsGivenBack() {
    List<PageLease> all = new ArrayList<>();
    PageLease refused = new PageLease();
    while (take(refused, 0, 0xFFF, TAG, 0, 0)) {
      all.add(refused);
      refused = new PageLease();
    }
    assertThat(refused.isTaken()).isFalse();
    assertThat(all.size()).isEqualTo(16);
    assertThat(found(over(0, 0))).isEqualTo(all.size());
    take(1).close();
    all.getFirst().close();
    assertThat(take(refused, 0, 0xFFF, TAG, 0, 0)).isTrue();
    assertThat(found(over(0, 0))).isEqualTo(all.size());
  }

  /// Against a list: leases come and go on this thread and another.
  @Test
  void afterRandomComingsAndGoingsThereAreThoseThatThereShouldBe() throws Exception {
    SplittableRandom random = new SplittableRandom(5);
    List<PageLease> live = new ArrayList<>();
    List<Long> pages = new ArrayList<>();
    for (int round = 0; round < 20; round++) {
      for (int i = 0; i < 200; i++) {
        if (live.isEmpty() || random.nextInt(5) > 1) {
          long page = random.nextLong(1 << random.nextInt(1, 20));
          live.add(take(page));
          pages.add(page);
        } else {
          int which = random.nextInt(live.size());
          live.remove(which).close();
          pages.remove(which);
        }
      }
      List<PageLease> others = new ArrayList<>();
      for (int i = random.nextInt(30); i > 0 && !live.isEmpty(); i--) {
        int which = random.nextInt(live.size());
        others.add(live.remove(which));
        pages.remove(which);
      }
      onAnotherThread(() -> others.forEach(PageLease::close));
      assertThat(live).allMatch(PageLease::isLive);
      assertThat(leases.size()).isEqualTo(live.size());
      assertThat(found(over(0, -1))).isEqualTo(live.size());
      for (int i = 0; i < 20; i++) {
        long page = random.nextLong(64);
        assertThat(found(over(page * PAGE, page * PAGE)))
            .isEqualTo((int) pages.stream().filter(other -> other == page).count());
      }
    }
  }

  // --- giving back

  @Test
  void aSecondCloseDoesNotEndTheNextLeaseInTheCell() {
    PageLease first = take(0);
    first.close();
    PageLease second = take(0);
    first.close();
    assertThat(second.isLive()).isTrue();
    assertThat(first.isLive()).isFalse();
    assertThat(first.isTaken()).isFalse();
  }

  @Test
  void aLeaseMayBeGivenBackByAnotherThread() throws Exception {
    PageLease lease = take(0);
    onAnotherThread(lease::close);
    assertThat(lease.isLive()).isFalse();
    assertThat(found(over(0, -1))).isZero();
    assertThat(leases.size()).isZero();
    // The owner frees the cell when it next looks for one.
    take(0).close();
    assertThat(section.mayHaveLeases()).isFalse();
  }

  @Test
  void theCellsThatOthersLeaveAreUsedAgain() throws Exception {
    for (int i = 0; i < 300; i++) {
      PageLease lease = take(0);
      PageLease another = take(0);
      onAnotherThread(lease::close);
      another.close();
    }
    take(0).close();
    assertThat(section.mayHaveLeases()).isFalse();
    assertThat(leases.size()).isZero();
  }

  private record Taken(PageLeases.Table table, int cell, long word) {}

  /// As two threads do that close one mapping: both have seen that it is theirs.
  @Test
  void aLeaseThatTwoThreadsGiveBackIsGivenBackOnce() throws Exception {
    PageLease lease = take(0);
    List<Taken> cells = new ArrayList<>();
    leases.forEach(over(0, 0), (table, cell, word) -> cells.add(new Taken(table, cell, word)));
    Taken taken = cells.getFirst();
    PageLease kept = take(0);

    onAnotherThread(lease::close);
    for (int i = 0; i < 2; i++) {
      leases.giveBack(taken.table, taken.cell, taken.word);
      onAnotherThread(() -> leases.giveBack(taken.table, taken.cell, taken.word));
    }
    assertThat(kept.isLive()).isTrue();
    assertThat(leases.size()).isEqualTo(1);
    assertThat(section.mayHaveLeases()).isTrue();
    kept.close();
    assertThat(section.mayHaveLeases()).isFalse();
  }

  @Test
  void aLeaseThatTwoThreadsGiveBackInTheSameMomentIsGivenBackOnce() throws Exception {
    CyclicBarrier together = new CyclicBarrier(2);
    AtomicReference<PageLease> shared = new AtomicReference<>();
    int rounds = 3_000;
    Thread other =
        Thread.ofPlatform()
            .start(() -> {
              try {
                for (int i = 0; i < rounds; i++) {
                  together.await();
                  shared.get().close();
                  together.await();
                }
              } catch (InterruptedException | BrokenBarrierException e) {
                throw new IllegalStateException(e);
              }
            });
    for (int i = 0; i < rounds; i++) {
      PageLease lease = take(0);
      shared.set(lease);
      together.await();
      lease.close();
      together.await();
      assertThat(leases.size()).isZero();
    }
    other.join();
    take(0).close();
    assertThat(section.mayHaveLeases()).isFalse();
  }

  // --- taking away

  @Test
  void aRevokedLeaseIsDeadButKeepsItsCellUntilItsOwnerGivesItBack() {
    PageLease lease = take(0);
    revoke(over(0, -1));
    assertThat(lease.isLive()).isFalse();
    assertThat(lease.isTaken()).isTrue();
    assertThat(found(over(0, -1))).as("nobody waits for it").isZero();
    assertThat(leases.size()).isEqualTo(1);
    lease.close();
    assertThat(leases.size()).isZero();
    assertThat(section.mayHaveLeases()).isFalse();
  }

  @Test
  void aRevokedLeaseMayBeGivenBackByAnotherThread() throws Exception {
    PageLease lease = take(0);
    revoke(over(0, -1));
    onAnotherThread(lease::close);
    assertThat(leases.size()).isZero();
    take(0).close();
    assertThat(section.mayHaveLeases()).isFalse();
  }

  @Test
  void aLeaseThatEndsUnderTheHandOfWhoLooksIsNotRevoked() {
    PageLease lease = take(0);
    PageLease[] next = new PageLease[1];
    leases.forEach(
        over(0, -1),
        (table, cell, word) -> {
          lease.close();
          assertThat(table.revoke(cell, word)).isFalse();
          assertThat(table.word(cell)).isZero();
          next[0] = take(0);
          assertThat(table.revoke(cell, word)).isFalse();
        });
    assertThat(next[0].isLive()).isTrue();
  }

  // --- one object for many leases

  @Test
  void aLeaseCanBeTakenAgainAfterItWasGivenBack() {
    PageLease lease = new PageLease();
    assertThat(lease.isLive()).isFalse();
    lease.close();
    for (int i = 0; i < 1000; i++) {
      assertThat(take(lease, i * PAGE, i * PAGE, TAG, i, 0)).isTrue();
      assertThat(lease.isLive()).isTrue();
      assertThat(lease.count()).isEqualTo(i);
      lease.close();
      assertThat(lease.isLive()).isFalse();
    }
    assertThat(leases.size()).isZero();
  }
}
