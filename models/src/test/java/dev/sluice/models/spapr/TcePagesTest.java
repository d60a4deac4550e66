package dev.sluice.models.spapr;

import static dev.sluice.models.spapr.SpaprMachine.DYNAMIC_BASE;
import static dev.sluice.models.spapr.SpaprMachine.DYNAMIC_LIOBN;
import static dev.sluice.models.spapr.SpaprMachine.H_PUT_TCE;
import static dev.sluice.models.spapr.SpaprMachine.H_PUT_TCE_INDIRECT;
import static dev.sluice.models.spapr.SpaprMachine.H_STUFF_TCE;
import static dev.sluice.models.spapr.SpaprMachine.LIOBN;
import static dev.sluice.models.spapr.SpaprMachine.LIST;
import static dev.sluice.models.spapr.SpaprMachine.NOT_ENOUGH_RESOURCES;
import static dev.sluice.models.spapr.SpaprMachine.SUCCESS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.models.spapr.TceTable.Replaced;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Pages of the tables, and how those without an entry are given back.
class TcePagesTest {
  /// A page that is mapped for reading and writing.
  private static final long RW = 0x40_0003;

  /// Bytes of bus addresses behind one page of a table.
  private static final long APART = 512L << 12;

  /// A directory and two pages.
  private static final int LIMIT = 6;

  private final SpaprMachine machine = new SpaprMachine(SpaprConfig.DEFAULT.withTablePages(LIMIT));

  @AfterEach
  void giveMemoryBack() {
    machine.close();
  }

  private int taken() {
    return machine.iommu.statistics().tablePages();
  }

  @Test
  void aGuestThatSetsAndClearsEntriesAllOverAWindowNeverRunsOut() {
    for (long page = 0; page < 512; page++) {
      assertThat(machine.put(page * APART + 0x3000, RW)).isEqualTo(SUCCESS);
      assertThat(machine.put(page * APART + 0x3000, 0)).isEqualTo(SUCCESS);
      assertThat(taken()).isLessThanOrEqualTo(LIMIT);
    }
  }

  @Test
  void theDirectoriesOfAHugeWindowAreGivenBackToo() {
    machine.createWindow(12, 43);
    for (long directory = 0; directory < 64; directory++) {
      long ioba = DYNAMIC_BASE + directory * APART * 2048;
      assertThat(machine.call(H_PUT_TCE, DYNAMIC_LIOBN, ioba, RW)).isEqualTo(SUCCESS);
      assertThat(machine.get(DYNAMIC_LIOBN, ioba)).isEqualTo(RW);
      assertThat(machine.call(H_STUFF_TCE, DYNAMIC_LIOBN, ioba, 0, 1)).isEqualTo(SUCCESS);
      assertThat(taken()).isLessThanOrEqualTo(LIMIT);
    }
  }

  @Test
  void whatHoldsAnEntryStaysWhateverTheEntrySays() {
    assertThat(machine.put(0, RW)).isEqualTo(SUCCESS);
    assertThat(machine.put(APART + 511 * 0x1000, 0x100)).as("page fault").isEqualTo(SUCCESS);
    assertThat(machine.put(2 * APART, RW)).isEqualTo(NOT_ENOUGH_RESOURCES);
    assertThat(machine.get(LIOBN, 0)).isEqualTo(RW);
    assertThat(machine.get(LIOBN, APART + 511 * 0x1000)).isEqualTo(0x100);
    assertThat(machine.put(APART + 511 * 0x1000, 0)).isEqualTo(SUCCESS);
    assertThat(machine.put(2 * APART, RW)).isEqualTo(SUCCESS);
    assertThat(machine.get(LIOBN, 0)).isEqualTo(RW);
  }

  @Test
  void callsWithSeveralEntriesGetRoomInTheSameWay() {
    for (long page = 0; page < 16; page += 2) {
      long ioba = page * APART + 511 * 0x1000;
      assertThat(machine.call(H_STUFF_TCE, LIOBN, ioba, RW, 2)).isEqualTo(SUCCESS);
      assertThat(machine.get(LIOBN, ioba + 0x1000)).isEqualTo(RW);
      machine.list(0, 0);
      assertThat(machine.call(H_PUT_TCE_INDIRECT, LIOBN, ioba, LIST, 2)).isEqualTo(SUCCESS);
      machine.list(0, RW);
      assertThat(machine.call(H_PUT_TCE_INDIRECT, LIOBN, ioba + APART, LIST, 2)).isEqualTo(SUCCESS);
      assertThat(machine.get(LIOBN, ioba + APART + 0x1000)).isEqualTo(RW);
      assertThat(machine.call(H_STUFF_TCE, LIOBN, 0, 0, 1 << 18)).isEqualTo(SUCCESS);
    }
  }

  @Test
  void theTablesOfOtherWindowsGiveBackWhatTheyDoNotNeed() {
    assertThat(machine.put(0, RW)).isEqualTo(SUCCESS);
    assertThat(machine.put(0, 0)).isEqualTo(SUCCESS);
    machine.createWindow(12, 30);
    assertThat(machine.call(H_PUT_TCE, DYNAMIC_LIOBN, DYNAMIC_BASE, RW)).isEqualTo(SUCCESS);
    assertThat(taken()).isEqualTo(5);
  }

  @Test
  void aDeviceFindsNothingInAPageThatWasGivenBackAndEverythingInOneThatCameBack() {
    assertThat(machine.put(0, RW)).isEqualTo(SUCCESS);
    assertThat(machine.write(0)).isNull();
    assertThat(machine.put(0, 0)).isEqualTo(SUCCESS);
    assertThat(machine.put(APART, RW)).isEqualTo(SUCCESS);
    assertThat(machine.put(2 * APART, RW)).isEqualTo(SUCCESS);
    assertThat(machine.write(0)).isNotNull();
    assertThat(machine.get(LIOBN, 0)).isZero();
    assertThat(machine.put(APART, 0)).isEqualTo(SUCCESS);
    assertThat(machine.put(0, RW)).isEqualTo(SUCCESS);
    assertThat(machine.write(0)).isNull();
  }

  @Test
  void whoHoldsPagesKeepsNoOtherPageOfTheTable() {
    TcePages pages = new TcePages(4 * 512, new TceBudget(LIMIT));
    assertThat(pages.hold(0, 1)).isTrue();
    pages.letGo(0, 1);
    assertThat(pages.hold(512, 1)).isTrue();
    assertThat(pages.hold(2 * 512, 1)).as("in the place of the first").isTrue();
    assertThat(pages.find(0)).isNull();
    assertThat(pages.find(512)).as("empty, and held").isNotNull();
    assertThat(pages.hold(0, 1)).as("both are held").isFalse();
    pages.letGo(512, 1);
    assertThat(pages.hold(0, 1)).isTrue();
  }

  @Test
  void aPageIsEmptyOnlyWithoutAnyEntryWhereverTheLastLookFoundOne() {
    TceTable table = new TceTable(512, new TceBudget(LIMIT));
    table.replaceAll(511, 1, RW);
    assertThat(table.giveBack()).isZero();
    table.replaceAll(3, 1, RW);
    table.replaceAll(511, 1, 0);
    assertThat(table.giveBack()).isZero();
    assertThat(table.get(3)).isEqualTo(RW);
    table.replaceAll(2, 1, RW);
    table.replaceAll(3, 1, 0);
    assertThat(table.giveBack()).isZero();
    assertThat(table.get(2)).isEqualTo(RW);
    table.replaceAll(2, 1, 0);
    assertThat(table.giveBack()).as("the page and its directory").isEqualTo(5);
  }

  @Test
  void lookingThroughPagesThatAllHoldSomethingTakesNoLock()
      throws ExecutionException, InterruptedException, TimeoutException {
    TceBudget budget = new TceBudget(LIMIT);
    TcePages pages = new TcePages(4 * 512, budget);
    assertThat(pages.hold(0, 1024)).isTrue();
    for (long index : new long[] {511, 1023}) {
      Objects.requireNonNull(pages.find(index))[TcePages.at(index)] = RW;
    }
    pages.letGo(0, 1024);
    synchronized (pages) {
      assertThat(CompletableFuture.supplyAsync(pages::giveBack).get(1, TimeUnit.MINUTES)).isZero();
    }
  }

  /// Left to chance: each of two threads needs one page at a time, and there are two.
  @Test
  void aPageIsNotRefusedBecauseAnotherProcessorWasQuickerToEmptyIt()
      throws ExecutionException, InterruptedException {
    TceTable table = new TceTable(8 * 512, new TceBudget(LIMIT));
    try (ExecutorService processors = Executors.newFixedThreadPool(2)) {
      List<Future<?>> running = new ArrayList<>();
      for (int first : new int[] {0, 4}) {
        running.add(
            processors.submit(() -> {
              for (int i = 0; i < 50_000; i++) {
                long index = 512L * (first + i % 4);
                assertThat(table.replaceAll(index, 1, RW)).isEqualTo(Replaced.UNUSED);
                assertThat(table.get(index)).isEqualTo(RW);
                assertThat(table.replaceAll(index, 1, 0)).isEqualTo(Replaced.UNUSED);
              }
            }));
      }
      for (Future<?> one : running) {
        one.get();
      }
    }
  }

  /// Left to chance: one thread gives pages back all the time, and no entry may be lost to that.
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void noEntryIsLostToWhoGivesPagesBackMeanwhile(int count) throws InterruptedException {
    TceTable table = new TceTable(4 * 512, new TceBudget(64));
    AtomicBoolean enough = new AtomicBoolean();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread collector =
        Thread.ofPlatform()
            .start(() -> {
              while (!enough.get()) {
                table.giveBack();
              }
            });
    collector.setUncaughtExceptionHandler((_, thrown) -> failure.set(thrown));
    try {
      for (int i = 1; i <= 50_000; i++) {
        // The first word of a page, or the last and the next page's first.
        long first = 512L * (1 + i % 3) - (count - 1);
        assertThat(table.replaceAll(first, count, 0)).isEqualTo(Replaced.UNUSED);
        long tce = (long) i << 12 | 3;
        if (count == 1) {
          assertThat(
                  table.replaceUnused(first, tce) || table.replace(first, tce) != Replaced.NOTHING)
              .isTrue();
        } else {
          assertThat(table.replaceAll(first, count, tce)).isEqualTo(Replaced.UNUSED);
        }
        for (long index = first; index < first + count; index++) {
          assertThat(table.get(index)).isEqualTo(tce);
        }
        assertThat(table.replaceAll(first, count, 0)).isEqualTo(Replaced.UNUSED);
      }
    } finally {
      enough.set(true);
      collector.join();
    }
    assertThat(failure.get()).isNull();
    table.giveBack();
    assertThat(table.giveBack()).isZero();
  }
}
