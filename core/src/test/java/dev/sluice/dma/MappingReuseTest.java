package dev.sluice.dma;

import static dev.sluice.dma.DmaMachine.PAGE;
import static dev.sluice.dma.DmaMachine.RAM;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.FakeIommu;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.Access;
import dev.sluice.memory.Word;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// One mapping opened many times, and one mapping on two threads.
class MappingReuseTest {
  private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;

  private final DmaMachine machine = new DmaMachine();
  private final DmaContext dma = machine.dma;
  private final Mapping mapping = dma.newMapping();

  MappingReuseTest() {
    for (long page = 0; page < 8; page++) {
      machine.map(page, page);
      machine.memory.store(RAM + page * PAGE, 8, LITTLE, 100 + page);
    }
  }

  private void open(long page, long length) {
    assertThat(dma.map(page * PAGE, length, Access.READ_WRITE, mapping)).isNull();
    assertThat(mapping.isLive()).isTrue();
    assertThat(mapping.iova()).isEqualTo(page * PAGE);
    assertThat(mapping.length()).isEqualTo(length);
  }

  @Test
  void aNewMappingIsNotOpen() {
    assertThat(mapping.isLive()).isFalse();
    mapping.close();
    assertThat(dma.endpoint().holdCount()).isZero();
    assertThatThrownBy(() -> mapping.load(0, 8, LITTLE)).isInstanceOf(MappingClosedException.class);
  }

  @Test
  void aMappingIsOpenedAgainForOtherPagesAndOtherUses() {
    for (int round = 0; round < 100; round++) {
      long page = round % 7;
      // A part of a page, a page, and two pages, which are kept in another way.
      long length = new long[] {64, PAGE, 2 * PAGE}[round % 3];
      open(page, length);
      assertThat(mapping.load(0, 8, LITTLE)).isEqualTo(100 + page);
      assertThat(mapping.stop()).isEqualTo(Mapping.Stop.COMPLETE);
      mapping.close();
      assertThatThrownBy(() -> mapping.load(0, 8, LITTLE))
          .isInstanceOf(MappingClosedException.class);
      assertThat(dma.map(page * PAGE, 8, Access.READ, mapping)).isNull();
      assertThatThrownBy(() -> mapping.store(0, 8, LITTLE, 1))
          .isInstanceOf(IllegalArgumentException.class);
      mapping.close();
    }
    assertThat(dma.endpoint().holdCount()).isZero();
  }

  @ParameterizedTest
  @ValueSource(longs = {64, 2 * PAGE})
  void anOpenMappingIsNotOpenedOver(long length) {
    open(1, length);
    assertThatThrownBy(() -> dma.map(0, 8, Access.READ, mapping))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("already open");
    assertThat(mapping.load(0, 8, LITTLE)).isEqualTo(101);
    mapping.close();
    open(0, 8);
    mapping.close();
  }

  @Test
  void aMappingBelongsToItsContext() {
    try (DmaContext other =
        DmaContext.behind(machine.iommu, machine.memory, RequesterId.of(0, 6, 0))) {
      assertThatThrownBy(() -> other.map(0, 8, Access.READ, mapping))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {64, 2 * PAGE})
  void aRefusalLeavesItClosed(long length) {
    open(0, length);
    mapping.close();
    TargetAbort abort = dma.map(100 * PAGE, length, Access.READ, mapping);
    assertThat(abort).isNotNull();
    assertThat(abort.reason()).isEqualTo(AbortReason.NOT_MAPPED);
    assertThat(mapping.isLive()).isFalse();
    assertThatThrownBy(() -> mapping.load(0, 8, LITTLE)).isInstanceOf(MappingClosedException.class);
    open(2, length);
    mapping.close();
  }

  @ParameterizedTest
  @ValueSource(longs = {64, 2 * PAGE})
  void aMappingThatWasTakenAwayIsOpenedAgainAfterItsOwnerClosedIt(long length) {
    dma.revocation(Revocation.immediately());
    open(1, length);
    machine.invalidate(1, "done");
    assertThat(machine.completed).containsExactly("done");
    assertThat(mapping.isLive()).isFalse();
    assertThatThrownBy(() -> dma.map(0, 8, Access.READ, mapping))
        .as("its owner has not noticed yet")
        .isInstanceOf(IllegalStateException.class);
    mapping.close();
    open(3, length);
    assertThat(mapping.load(0, 8, LITTLE)).isEqualTo(103);
    mapping.close();
    assertThat(dma.endpoint().holdCount()).isZero();
  }

  @Test
  void eachOpeningIsWaitedForByItself() {
    open(0, 64);
    machine.invalidate(0, "first");
    mapping.close();
    assertThat(machine.completed).containsExactly("first");
    open(0, 64);
    machine.invalidate(1, "beside");
    machine.invalidate(0, "second");
    assertThat(machine.completed).containsExactly("first", "beside");
    mapping.close();
    assertThat(machine.completed).containsExactly("first", "beside", "second");
  }

  /// There is no room for so many leases on one page: the rest is held in the general way, and no
  /// invalidation can tell.
  @Test
  void aPageMayBeMappedAnyNumberOfTimes() {
    List<Mapping> all = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      all.add(machine.mapping(i, 8, Access.READ_WRITE));
    }
    assertThat(all).allMatch(Mapping::isLive);
    assertThat(dma.endpoint().holdCount()).isEqualTo(200);
    machine.invalidate(0, "done");
    for (int i = 0; i < 199; i++) {
      all.remove(i * 13 % all.size()).close();
    }
    assertThat(machine.completed).isEmpty();
    all.getFirst().close();
    assertThat(machine.completed).containsExactly("done");
  }

  // --- two threads

  private interface Use {
    void run();
  }

  /// One thread uses the mapping until it is closed under its hands; meanwhile the guest wants the
  /// page back, gets it, and gives it to somebody else.
  private void closedUnderTheHands(long length, Use use) throws InterruptedException {
    for (int round = 0; round < 300; round++) {
      machine.completed.clear();
      machine.memory.store(RAM, 8, LITTLE, 100);
      open(0, length);
      CountDownLatch using = new CountDownLatch(1);
      AtomicReference<Throwable> thrown = new AtomicReference<>();
      Thread user =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  for (; ; ) {
                    use.run();
                    using.countDown();
                  }
                } catch (MappingClosedException e) {
                  // As it should be.
                } catch (Throwable e) {
                  thrown.set(e);
                } finally {
                  using.countDown();
                }
              });
      using.await();
      CountDownLatch given = new CountDownLatch(1);
      machine
          .iommu
          .invalidator()
          .invalidate(
              FakeIommu.TAG,
              0,
              PAGE - 1,
              () -> {
                machine.memory.store(RAM, 8, LITTLE, 777);
                given.countDown();
              });
      mapping.close();
      given.await();
      user.join();
      assertThat(thrown.get()).isNull();
      Word word = new Word();
      machine.memory.load(RAM, 8, LITTLE, word);
      assertThat(word.asLong()).as("the new owner's").isEqualTo(777);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {64, 2 * PAGE})
  void aStoreThroughAMappingThatAnotherThreadClosesNeverReachesTheNewOwner(long length)
      throws Exception {
    closedUnderTheHands(length, () -> mapping.store(0, 8, LITTLE, 5));
  }

  @ParameterizedTest
  @ValueSource(longs = {64, 2 * PAGE})
  void aLoadThroughAMappingThatAnotherThreadClosesNeverSeesTheNewOwner(long length)
      throws Exception {
    closedUnderTheHands(
        length,
        () -> {
          if (mapping.load(0, 8, LITTLE) != 100) {
            throw new AssertionError("the new owner's bytes");
          }
        });
  }

  @Test
  void aMappingOfAnotherThreadIsUsedAndClosedLikeOnesOwn() throws Exception {
    List<Mapping> made = new ArrayList<>();
    Thread maker =
        Thread.ofPlatform()
            .start(() -> {
              for (long page = 0; page < 8; page++) {
                made.add(machine.mapping(page * PAGE, PAGE, Access.READ_WRITE));
              }
            });
    maker.join();
    machine.invalidate(3, "done");
    for (int page = 0; page < 8; page++) {
      made.get(page).store(0, 8, LITTLE, 200 + page);
      assertThat(made.get(page).load(0, 8, LITTLE)).isEqualTo(200 + page);
    }
    assertThat(machine.completed).isEmpty();
    made.get(3).close();
    assertThat(machine.completed).containsExactly("done");
    made.forEach(Mapping::close);
    assertThat(dma.endpoint().holdCount()).isZero();
  }
}
