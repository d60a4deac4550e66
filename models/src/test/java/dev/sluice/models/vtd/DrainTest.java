package dev.sluice.models.vtd;

import static dev.sluice.models.vtd.VtdMachine.BIT_63;
import static dev.sluice.models.vtd.VtdMachine.CCMD;
import static dev.sluice.models.vtd.VtdMachine.DEVICE;
import static dev.sluice.models.vtd.VtdMachine.DOMAIN;
import static dev.sluice.models.vtd.VtdMachine.GSTS;
import static dev.sluice.models.vtd.VtdMachine.IOTLB;
import static dev.sluice.models.vtd.VtdMachine.IVA;
import static dev.sluice.models.vtd.VtdMachine.QIE;
import static dev.sluice.models.vtd.VtdMachine.STATUS;
import static dev.sluice.models.vtd.VtdMachine.TE;
import static dev.sluice.models.vtd.VtdMachine.waitLow;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.Mapping;
import dev.sluice.dma.MappingRevokedException;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.Access;
import dev.sluice.models.registers.ResetDrains;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What the guest may see of an invalidation while a device still holds what it is about: nothing
/// of its completion.
class DrainTest {
  private static final long IOTLB_GLOBAL = 0x12;
  private static final long CONTEXT_GLOBAL = 0x11;
  private static final long IOTLB_DOMAIN = 0x22 | (DOMAIN << 16);
  private static final long IOTLB_PAGES = 0xF2 | (DOMAIN << 16);
  private static final long CONTEXT_DOMAIN = 0x21 | (DOMAIN << 16);

  /// For 00:05.0.
  private static final long CONTEXT_DEVICE = 0x31 | (DOMAIN << 16) | (0x28L << 32);

  private static final long A = 0x10_0000;
  private static final long B = 0x20_0000;

  private final VtdMachine machine = new VtdMachine();

  @BeforeEach
  void mapTwoPages() {
    GuestTables tables = machine.tables;
    long top = tables.translated(DEVICE, GuestTables.WIDTH_48, DOMAIN);
    tables.map(top, 4, 1, A, 0x8_0000, GuestTables.READ_WRITE);
    tables.map(top, 4, 1, B, 0x9_0000, GuestTables.READ_WRITE);
    machine.queued().enabled();
  }

  @AfterEach
  void giveMemoryBack() {
    machine.close();
  }

  private void assertStatus(int expected) {
    machine.runWorker();
    assertThat(machine.status()).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(
      longs = {
        IOTLB_GLOBAL,
        IOTLB_DOMAIN,
        IOTLB_PAGES,
        CONTEXT_GLOBAL,
        CONTEXT_DOMAIN,
        CONTEXT_DEVICE
      })
  void aWaitDescriptorDoesNotCompleteWhileAMappingIsHeld(long descriptor) {
    Mapping mapping = machine.mapping(A, 4096);
    machine.submit(descriptor, descriptor == IOTLB_PAGES ? A : 0, waitLow(1), STATUS);
    assertStatus(0);
    assertThat(machine.head()).isEqualTo(1);
    mapping.fill(0, 4, (byte) 0x77);
    assertThat(machine.tables.load(0x8_0000)).isEqualTo(0x7777_7777L);

    mapping.close();
    assertStatus(1);
    assertThat(machine.head()).isEqualTo(2);
    VtdStatistics statistics = machine.iommu.statistics();
    assertThat(statistics.drains().delayed()).isEqualTo(1);
    assertThat(statistics.drains().longestNanos()).isPositive();
  }

  @Test
  void theWaitGoesOnOnTheWorkerAndNotOnTheDevicesThread() {
    Mapping mapping = machine.mapping(A, 4096);
    machine.submit(IOTLB_GLOBAL, 0, waitLow(1), STATUS);
    mapping.close();
    assertThat(machine.status()).isZero();
    assertThat(machine.worker).hasSize(1);
    assertStatus(1);
  }

  @Test
  void aMappingOfAnotherPageDelaysNothing() {
    try (Mapping _ = machine.mapping(B, 4096)) {
      machine.submit(IOTLB_PAGES, A, waitLow(1), STATUS);
      assertThat(machine.status()).isEqualTo(1);
    }
  }

  @Test
  void aMappingOfAnotherDomainDelaysNothing() {
    RequesterId other = RequesterId.of(0, 6, 0);
    long top = machine.tables.translated(other, GuestTables.WIDTH_48, DOMAIN + 1);
    machine.tables.map(top, 4, 1, A, 0x8_0000, GuestTables.READ_WRITE);
    DmaContext device = machine.attach(other);
    try (Mapping _ = (Mapping) device.map(A, 4096, Access.READ)) {
      machine.submit(
          IOTLB_DOMAIN,
          0,
          CONTEXT_DOMAIN,
          0,
          CONTEXT_DEVICE,
          0,
          IOTLB_PAGES,
          A,
          waitLow(1),
          STATUS);
      assertThat(machine.status()).isEqualTo(1);
    }
  }

  @Test
  void aContextEntryOfAnotherDomainIsNotWhatIsInvalidated() {
    try (Mapping _ = machine.mapping(A, 4096)) {
      machine.submit(CONTEXT_DEVICE + (1 << 16), 0, waitLow(1), STATUS);
      assertThat(machine.status()).isEqualTo(1);
    }
  }

  @Test
  void aMappingMadeAfterTheInvalidationDelaysNothing() {
    Mapping before = machine.mapping(A, 4096);
    machine.submit(IOTLB_GLOBAL, 0, waitLow(1), STATUS);
    try (Mapping _ = machine.mapping(A, 4096)) {
      before.close();
      assertStatus(1);
    }
  }

  @Test
  void everyMappingOverTheRangeIsWaitedFor() {
    Mapping first = machine.mapping(A, 4096);
    Mapping second = machine.mapping(A + 100, 8);
    machine.submit(IOTLB_PAGES, A, waitLow(1), STATUS);
    first.close();
    assertStatus(0);
    second.close();
    assertStatus(1);
  }

  @Test
  void aWaitIsForEveryInvalidationBeforeItAndForNoneAfter() {
    Mapping first = machine.mapping(A, 4096);
    machine.submit(IOTLB_PAGES, B, waitLow(1), STATUS);
    assertStatus(1);
    machine.submit(IOTLB_PAGES, A, IOTLB_PAGES, B, waitLow(2), STATUS);
    assertStatus(1);
    Mapping second = machine.mapping(B, 4096);
    machine.submit(IOTLB_PAGES, B, waitLow(3), STATUS);
    first.close();
    assertStatus(2);
    second.close();
    assertStatus(3);
  }

  @Test
  void aTailThatMovesOnWhileTheQueueWaitsIsFollowedLater() {
    Mapping mapping = machine.mapping(A, 4096);
    machine.submit(IOTLB_GLOBAL, 0, waitLow(1), STATUS);
    machine.submit(waitLow(2), STATUS);
    machine.submit(waitLow(3), STATUS + 8);
    assertStatus(0);
    mapping.close();
    assertStatus(2);
    assertThat(machine.tables.load(STATUS + 8)).isEqualTo(3);
    assertThat(machine.head()).isEqualTo(4);
  }

  @Test
  void aMappingThatIsNeverGivenBackIsTakenAway() {
    machine.device.revocation(Revocation.immediately());
    Mapping mapping = machine.mapping(A, 4096);
    machine.submit(IOTLB_PAGES, A, waitLow(1), STATUS);
    assertStatus(1);
    assertThatExceptionOfType(MappingRevokedException.class)
        .isThrownBy(() -> mapping.fill(0, 4, (byte) 1));
    assertThat(machine.iommu.statistics().drains().revocations()).isEqualTo(1);
  }

  @Test
  void disablingTheQueueTakesEffectWhenWhatItBeganIsComplete() {
    Mapping mapping = machine.mapping(A, 4096);
    machine.submit(IOTLB_GLOBAL, 0);
    machine.command(0, QIE);
    assertThat(machine.read32(GSTS) & QIE).isEqualTo(QIE);
    mapping.close();
    assertThat(machine.read32(GSTS) & QIE).isZero();
    assertThat(machine.head()).isZero();
  }

  @Test
  void aWaitThatIsPendingWhenTheQueueIsDisabledIsDropped() {
    Mapping mapping = machine.mapping(A, 4096);
    machine.submit(IOTLB_GLOBAL, 0, waitLow(1), STATUS);
    machine.command(0, QIE);
    mapping.close();
    machine.runWorker();
    assertThat(machine.read32(GSTS) & QIE).isZero();
    assertThat(machine.status()).isZero();
  }

  @Test
  void aQueueThatIsWantedAgainBeforeItWasDisabledGoesOn() {
    Mapping mapping = machine.mapping(A, 4096);
    machine.submit(IOTLB_GLOBAL, 0, waitLow(1), STATUS);
    machine.command(0, QIE);
    machine.command(QIE, 0);
    mapping.close();
    assertStatus(1);
    assertThat(machine.read32(GSTS) & QIE).isEqualTo(QIE);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void theIotlbRegisterSaysDoneWhenTheDrainIs(long granularity) {
    machine.command(0, QIE);
    Mapping mapping = machine.mapping(A, 4096);
    machine.write64(IVA, A);
    machine.write64(IOTLB, BIT_63 | (granularity << 60) | ((long) DOMAIN << 32));
    assertThat(machine.read64(IOTLB) & BIT_63).isEqualTo(BIT_63);
    mapping.close();
    assertThat(machine.read64(IOTLB) & BIT_63).isZero();
    assertThat((machine.read64(IOTLB) >>> 57) & 3).isEqualTo(granularity);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void theContextCommandSaysDoneWhenTheDrainIs(long granularity) {
    machine.command(0, QIE);
    Mapping mapping = machine.mapping(A, 4096);
    machine.write64(CCMD, BIT_63 | (granularity << 61) | ((long) DEVICE.value() << 16) | DOMAIN);
    assertThat(machine.read64(CCMD) & BIT_63).isEqualTo(BIT_63);
    mapping.close();
    assertThat(machine.read64(CCMD) & BIT_63).isZero();
    assertThat((machine.read64(CCMD) >>> 59) & 3).isEqualTo(granularity);
  }

  @Test
  void aRegisterThatIsBusyTakesNothing() {
    machine.command(0, QIE);
    Mapping mapping = machine.mapping(A, 4096);
    long command = BIT_63 | (1L << 61) | 0x1234;
    machine.write64(CCMD, command);
    machine.write64(CCMD, 0);
    machine.write32(CCMD, 0x9999);
    machine.write64(CCMD, BIT_63 | (2L << 61));
    assertThat(machine.read64(CCMD)).isEqualTo(command);
    mapping.close();
    assertThat(machine.read64(CCMD) & (BIT_63 | 0xFFFF)).isEqualTo(0x1234);
    assertThat(machine.iommu.statistics().invalidations().contextDomain()).isZero();
  }

  @Test
  void switchingTranslationOnIsDoneWhenUntranslatedAccessesAre() {
    machine.command(0, TE);
    Mapping identity = machine.mapping(0x8_0000, 4096);
    machine.command(TE, 0);
    assertThat(machine.read32(GSTS) & TE).isZero();
    assertThat(machine.device.check(A, 4096, Access.READ)).isNull();
    identity.close();
    assertThat(machine.read32(GSTS) & TE).isEqualTo(TE);
  }

  @Test
  void switchingTranslationOffIsDoneWhenTranslatedAccessesAre() {
    Mapping mapping = machine.mapping(A, 4096);
    machine.command(0, TE);
    assertThat(machine.read32(GSTS) & TE).isEqualTo(TE);
    mapping.close();
    assertThat(machine.read32(GSTS) & TE).isZero();
  }

  @Test
  void aSwitchThatIsAskedForDuringAnotherBeginsAfterIt() {
    Mapping mapping = machine.mapping(A, 4096);
    for (int i = 0; i < 1000; i++) {
      machine.write32(VtdMachine.GCMD, QIE);
      machine.write32(VtdMachine.GCMD, QIE | TE);
    }
    assertThat(machine.read32(GSTS) & TE).isEqualTo(TE);
    assertThat(machine.device.fill(0xA_0000, 4, (byte) 6)).as("untranslated meanwhile").isNull();
    mapping.close();
    assertThat(machine.read32(GSTS) & TE).isEqualTo(TE);
    assertThat(machine.device.fill(0xA_0000, 4, (byte) 6)).isNotNull();
    assertThat(machine.device.fill(A, 4, (byte) 7)).isNull();
    assertThat(machine.iommu.statistics().drains().delayed()).isEqualTo(1);
  }

  @Test
  void aQueueFullOfInvalidationsThatWaitStopsUntilSomeAreComplete() {
    Mapping mapping = machine.mapping(A, 4096);
    for (int i = 0; i < DrainBudget.MAX_OF_QUEUE; i++) {
      machine.submit(IOTLB_GLOBAL, 0);
      machine.runWorker();
    }
    machine.submit(IOTLB_GLOBAL, 0, waitLow(1), STATUS);
    machine.runWorker();
    assertThat(machine.head()).isEqualTo(DrainBudget.MAX_OF_QUEUE % 256);
    assertThat(machine.iommu.statistics().invalidations().iotlbGlobal())
        .isEqualTo(DrainBudget.MAX_OF_QUEUE);
    mapping.close();
    assertStatus(1);
  }

  @Test
  void completionsFromBeforeAResetAreNotSeenAfterIt() {
    machine.command(0, QIE);
    Mapping mapping = machine.mapping(A, 4096);
    machine.write64(IOTLB, BIT_63 | (1L << 60));
    machine.command(0, TE);
    machine.iommu.reset(() -> {});
    machine.queued().submit(waitLow(1), STATUS);
    assertThat(machine.status()).isEqualTo(1);
    mapping.close();
    machine.runWorker();
    assertThat(machine.read64(IOTLB)).isZero();
    assertThat(machine.read32(GSTS)).isEqualTo(QIE);
  }

  @Test
  void aQueueThatWaitedBeforeAResetDoesNotGoOnAfterIt() {
    Mapping mapping = machine.mapping(A, 4096);
    machine.submit(IOTLB_GLOBAL, 0, waitLow(1), STATUS);
    machine.iommu.reset(() -> {});
    mapping.close();
    machine.runWorker();
    assertThat(machine.status()).isZero();
    assertThat(machine.read32(GSTS)).isZero();
    assertThat(machine.head()).isZero();
  }

  @Test
  void aQueueThatResetsLeftFullGoesOnWhenTheMappingIsGone() {
    Mapping mapping = machine.mapping(A, 4096);
    for (int i = 0; i < DrainBudget.MAX_OF_QUEUE; i++) {
      machine.submit(IOTLB_GLOBAL, 0);
      machine.runWorker();
    }
    machine.iommu.reset(() -> {});
    machine.queued().submit(IOTLB_GLOBAL, 0, waitLow(1), STATUS);
    machine.runWorker();
    assertThat(machine.head()).as("no room").isZero();
    mapping.close();
    machine.runWorker();
    assertThat(machine.head()).isEqualTo(2);
    assertStatus(1);
  }

  @Test
  void whatTheRegistersBeganBeforeManyResetsLeavesTheNextOneWorking() {
    Mapping mapping = machine.mapping(A, 4096);
    for (int i = 0; i < 3000; i++) {
      machine.write64(IOTLB, BIT_63 | (1L << 60));
      machine.command(TE, 0);
      machine.iommu.reset(() -> {});
    }
    machine.write64(IOTLB, BIT_63 | (1L << 60));
    machine.queued();
    assertThat(machine.read64(IOTLB) & BIT_63).isEqualTo(BIT_63);
    mapping.close();
    machine.runWorker();
    assertThat(machine.read64(IOTLB) & BIT_63).isZero();
    machine.submit(IOTLB_GLOBAL, 0, waitLow(1), STATUS);
    machine.runWorker();
    assertStatus(1);
    // Each had to wait, and those that found no room were never begun.
    assertThat(machine.iommu.statistics().drains().delayed())
        .isLessThanOrEqualTo(DrainBudget.MAX_OF_ALL + ResetDrains.MAX_UNDER_WAY + 1L);
  }

  @Test
  void aResetEmptiesTheCachesWhileTheDrainOfAnEarlierOneIsUnderWay() {
    Mapping mapping = machine.mapping(A, 4096);
    machine.iommu.reset(() -> {});
    switchOn();
    assertThat(machine.device.fill(A, 4, (byte) 1)).isNull();
    machine.iommu.reset(() -> {});
    long top = machine.tables.translated(DEVICE, GuestTables.WIDTH_48, DOMAIN);
    machine.tables.map(top, 4, 1, A, 0x9_0000, GuestTables.READ_WRITE);
    switchOn();
    assertThat(machine.device.fill(A, 4, (byte) 7)).isNull();
    assertThat(machine.tables.load(0x9_0000)).isEqualTo(0x0707_0707L);
    mapping.close();
  }

  @Test
  void aResetIsDrainedWhenWhatBeganBeforeItIsOver() {
    AtomicInteger drained = new AtomicInteger();
    Mapping old = machine.mapping(A, 4096);
    machine.iommu.reset(drained::incrementAndGet);
    assertThat(drained).as("a mapping from before is held").hasValue(0);
    switchOn();
    Mapping young = machine.mapping(A, 4096);
    old.close();
    assertThat(drained).as("only a mapping from after it is held").hasValue(1);
    young.close();
    machine.iommu.reset(drained::incrementAndGet);
    assertThat(drained).as("nothing is held").hasValue(2);
  }

  /// Does not wait until the accesses from before are drained.
  private void switchOn() {
    machine.write64(VtdMachine.RTADDR, machine.tables.rootTable());
    machine.command(VtdMachine.SRTP, 0);
    machine.command(TE, 0);
  }
}
