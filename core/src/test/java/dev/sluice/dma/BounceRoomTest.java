package dev.sluice.dma;

import static dev.sluice.dma.DmaMachine.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.iommu.AbortReason;
import dev.sluice.memory.Access;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The budget of bounce mappings: what there is no room for, and who comes next.
@Timeout(60)
class BounceRoomTest {
  private final DmaMachine machine = new DmaMachine();
  private final DmaContext dma = machine.dma;
  private final List<String> served = new ArrayList<>();

  BounceRoomTest() {
    // No two neighbours in I/O virtual space are neighbours in RAM.
    for (long page = 0; page < 32; page++) {
      machine.map(page, 2 * page);
    }
    dma.bounceBudget(8 * PAGE);
  }

  private MappedMemory bounce(long pages) {
    if (dma.mapWhole(16, pages * PAGE - 16, Access.READ_WRITE) instanceof MappedMemory mapped) {
      return mapped;
    }
    throw new AssertionError("no room for " + pages + " of 8 pages with " + dma.bounceBytes());
  }

  private WholeResult tryBounce(long pages) {
    return dma.mapWhole(0, pages * PAGE, Access.READ);
  }

  /// Waits, and gives the room back at once.
  private void queue(String name, long pages) {
    assertThat(dma.whenRoom(pages * PAGE, serve(name))).isTrue();
  }

  private Consumer<BounceRoom> serve(String name) {
    return room -> {
      served.add(name);
      room.close();
    };
  }

  @Test
  void withoutRoomNothingIsTouchedAndNobodyWaits() {
    MappedMemory first = bounce(4);
    MappedMemory second = bounce(4);
    int walks = machine.iommu.walks();
    assertThat(tryBounce(2)).isEqualTo(new NoRoom(2 * PAGE, 8 * PAGE));
    assertThat(dma.bounceBytes()).isEqualTo(8 * PAGE);
    assertThat(machine.iommu.walks()).isEqualTo(walks);
    assertThat(machine.mapping(0, 2 * PAGE, Access.READ).unmap()).as("a direct one").isNull();
    first.close();
    second.close();
    assertThat(dma.bounceBytes()).isZero();
    bounce(8).close();
  }

  @Test
  void roomComesInPowersOfTwoOfPages() {
    try (MappedMemory _ = bounce(3)) {
      assertThat(dma.bounceBytes()).isEqualTo(4 * PAGE);
    }
    dma.bounceBudget(7 * PAGE);
    assertThat(tryBounce(5)).isEqualTo(new NoRoom(5 * PAGE, 4 * PAGE));
    assertThat(new NoRoom(5 * PAGE, 4 * PAGE).isForNow()).isFalse();
    assertThat(new NoRoom(4 * PAGE, 4 * PAGE).isForNow()).isTrue();
    assertThatThrownBy(() -> dma.whenRoom(5 * PAGE, BounceRoom::close))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aLengthBeyondEveryMappingNeverHasRoom() {
    dma.bounceBudget(Long.MAX_VALUE);
    assertThat(dma.mapWhole(0, DmaContext.MAX_MAPPING + 1, Access.READ))
        .isEqualTo(new NoRoom(DmaContext.MAX_MAPPING + 1, DmaContext.MAX_MAPPING));
    assertThat(dma.mapWhole(0, Long.MAX_VALUE, Access.READ)).isInstanceOf(NoRoom.class);
  }

  @Test
  void buffersOfOtherSizesMakeWay() {
    List<MappedMemory> small = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      small.add(bounce(2));
    }
    small.forEach(MappedMemory::close);
    bounce(8).close();
    for (int i = 0; i < 4; i++) {
      small.set(i, bounce(2));
    }
    assertThat(dma.bounceBytes()).isEqualTo(8 * PAGE);
    small.forEach(MappedMemory::close);
  }

  @Test
  void theBudgetIsSetBeforeItIsUsed() {
    try (MappedMemory _ = bounce(2)) {
      assertThatThrownBy(() -> dma.bounceBudget(PAGE)).isInstanceOf(IllegalStateException.class);
    }
    assertThatThrownBy(() -> dma.bounceBudget(-1)).isInstanceOf(IllegalArgumentException.class);
    dma.bounceBudget(PAGE - 1);
    assertThat(tryBounce(2)).isEqualTo(new NoRoom(2 * PAGE, 0));
  }

  @Test
  void whoeverWaitsWithRoomAtHandIsServedAtOnce() {
    queue("at once", 8);
    assertThat(served).containsExactly("at once");
    assertThat(dma.bounceBytes()).isZero();
  }

  @Test
  void aLargeRequestIsNotOvertakenBySmallOnes() {
    MappedMemory first = bounce(4);
    MappedMemory second = bounce(2);
    queue("large", 8);
    queue("small", 2);
    assertThat(served).as("2 pages are free").isEmpty();
    assertThat(tryBounce(2)).as("nor by one that does not wait").isInstanceOf(NoRoom.class);
    first.close();
    assertThat(served).isEmpty();
    second.close();
    assertThat(served).containsExactly("large", "small");
  }

  @Test
  void asManyAreServedAsThereIsRoomFor() {
    MappedMemory all = bounce(8);
    List<BounceRoom> kept = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      assertThat(dma.whenRoom(4 * PAGE, kept::add)).isTrue();
    }
    all.close();
    assertThat(kept).hasSize(2);
    kept.getFirst().close();
    kept.getFirst().close();
    assertThat(kept).hasSize(3);
    kept.forEach(BounceRoom::close);
    assertThat(dma.bounceBytes()).isZero();
  }

  @Test
  void aMappingTakesTheRoomOverAndItsHolderMayForgetIt() {
    MappedMemory all = bounce(8);
    CompletableFuture<MappedMemory> mapped = new CompletableFuture<>();
    dma.whenRoom(
        3 * PAGE,
        room -> {
          try (room) {
            assertThat(room.size()).isEqualTo(4 * PAGE);
            mapped.complete((MappedMemory) dma.mapWhole(0, 3 * PAGE, Access.READ, room));
            assertThatThrownBy(() -> dma.mapWhole(0, 3 * PAGE, Access.READ, room))
                .isInstanceOf(IllegalStateException.class);
          }
        });
    all.close();
    assertThat(mapped).isCompleted();
    assertThat(mapped.join().isLive()).isTrue();
    assertThat(dma.bounceBytes()).isEqualTo(4 * PAGE);
    mapped.join().close();
    assertThat(dma.bounceBytes()).isZero();
  }

  @Test
  void roomThatNoMappingNeededStaysWithItsHolder() {
    CompletableFuture<BounceRoom> given = new CompletableFuture<>();
    dma.whenRoom(4 * PAGE, given::complete);
    BounceRoom room = given.join();
    try (MappedMemory direct = (MappedMemory) dma.mapWhole(0, PAGE, Access.READ, room)) {
      assertThat(direct).isInstanceOf(Mapping.class);
    }
    assertThat(dma.mapWhole(31 * PAGE, 2 * PAGE, Access.READ, room))
        .isInstanceOf(TargetAbort.class);
    assertThatThrownBy(() -> dma.mapWhole(0, 5 * PAGE, Access.READ, room))
        .isInstanceOf(IllegalArgumentException.class);
    try (DmaContext other = DmaContext.behind(machine.iommu, machine.memory, DmaMachine.DEVICE)) {
      assertThatThrownBy(() -> other.mapWhole(0, PAGE, Access.READ, room))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(dma.bounceBytes()).isEqualTo(4 * PAGE);
    try (MappedMemory bounced = (MappedMemory) dma.mapWhole(0, 2 * PAGE, Access.READ, room)) {
      assertThat(bounced.isLive()).isTrue();
    }
    assertThat(dma.bounceBytes()).isZero();
  }

  @Test
  void noMoreWaitThanTheLimit() {
    MappedMemory all = bounce(8);
    for (int i = 0; i < BounceBudget.MAX_WAITERS; i++) {
      queue("one of many", 1 + i % 8);
    }
    assertThat(dma.whenRoom(PAGE, serve("too many"))).isFalse();
    all.close();
    assertThat(served).hasSize(BounceBudget.MAX_WAITERS).containsOnly("one of many");
    queue("later", 1);
    assertThat(served).contains("later");
  }

  @Test
  void oneThatWaitsAgainIsBehindThoseWhoWait() {
    MappedMemory all = bounce(8);
    dma.whenRoom(
        PAGE,
        room -> {
          served.add("first");
          room.close();
          queue("again", 1);
        });
    queue("second", 8);
    all.close();
    assertThat(served).containsExactly("first", "second", "again");
  }

  @Test
  void oneThatFailsGivesItsRoomBackAndHoldsNobodyUp() {
    MappedMemory all = bounce(8);
    dma.whenRoom(
        8 * PAGE,
        _ -> {
          throw new IllegalStateException("a defect of the device");
        });
    queue("next", 8);
    all.close();
    assertThat(served).containsExactly("next");
    assertThat(dma.bounceBytes()).isZero();
  }

  @Test
  void itRunsUnderNoLock() throws Exception {
    MappedMemory all = bounce(8);
    try (ExecutorService other = Executors.newSingleThreadExecutor()) {
      CompletableFuture<Boolean> answered = new CompletableFuture<>();
      dma.whenRoom(
          PAGE,
          room -> {
            // Another thread gets in everywhere meanwhile.
            answered.complete(
                CompletableFuture.supplyAsync(
                        () -> {
                          tryBounce(2);
                          return dma.whenRoom(PAGE, serve("queued")) && dma.bounceBytes() > 0;
                        },
                        other)
                    .join());
            room.close();
          });
      all.close();
      assertThat(answered).isCompletedWithValue(true);
      assertThat(served).containsExactly("queued");
    }
  }

  @Test
  void theEndOfTheContextEndsTheWaiting() {
    MappedMemory all = bounce(8);
    queue("never", 1);
    dma.close();
    all.close();
    assertThat(served).isEmpty();
    assertThat(dma.whenRoom(PAGE, serve("never"))).isFalse();
    assertThat(dma.bounceBytes()).isZero();
  }

  @Test
  void roomGivenBeforeTheEndOfTheContextIsGivenBackAfterIt() {
    CompletableFuture<BounceRoom> given = new CompletableFuture<>();
    dma.whenRoom(PAGE, given::complete);
    dma.close();
    WholeResult refused = dma.mapWhole(0, PAGE, Access.READ, given.join());
    assertThat(((TargetAbort) refused).reason()).isEqualTo(AbortReason.BUS_MASTER_OFF);
    given.join().close();
    assertThat(dma.bounceBytes()).isZero();
  }

  @Test
  void manyRequestsOnTwoThreadsAreAllServedWithinTheBudget() throws Exception {
    int requests = 500;
    CountDownLatch left = new CountDownLatch(2 * requests);
    AtomicInteger overdrawn = new AtomicInteger();
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      List<Future<?>> running = new ArrayList<>();
      for (int thread = 0; thread < 2; thread++) {
        int seed = thread;
        running.add(
            threads.submit(() -> {
              for (int i = 0; i < requests; i++) {
                long pages = 1 + (i * 5L + seed) % 8;
                CountDownLatch one = new CountDownLatch(1);
                boolean queued =
                    dma.whenRoom(
                        pages * PAGE,
                        room -> {
                          try (room;
                              MappedMemory mapped =
                                  (MappedMemory) dma.mapWhole(0, pages * PAGE, Access.READ, room)) {
                            if (!mapped.isLive() || dma.bounceBytes() > 8 * PAGE) {
                              overdrawn.incrementAndGet();
                            }
                          }
                          left.countDown();
                          one.countDown();
                        });
                assertThat(queued).isTrue();
                if (i % 3 == 0) {
                  one.await();
                }
              }
              return null;
            }));
      }
      for (Future<?> each : running) {
        each.get();
      }
    }
    left.await();
    assertThat(overdrawn).hasValue(0);
    assertThat(dma.bounceBytes()).isZero();
  }
}
