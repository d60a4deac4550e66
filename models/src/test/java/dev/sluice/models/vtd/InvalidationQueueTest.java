package dev.sluice.models.vtd;

import static dev.sluice.models.vtd.VtdMachine.DEVICE;
import static dev.sluice.models.vtd.VtdMachine.DOMAIN;
import static dev.sluice.models.vtd.VtdMachine.FSTS;
import static dev.sluice.models.vtd.VtdMachine.GSTS;
import static dev.sluice.models.vtd.VtdMachine.ICS;
import static dev.sluice.models.vtd.VtdMachine.IECTL;
import static dev.sluice.models.vtd.VtdMachine.IQA;
import static dev.sluice.models.vtd.VtdMachine.IQERCD;
import static dev.sluice.models.vtd.VtdMachine.IQH;
import static dev.sluice.models.vtd.VtdMachine.IQT;
import static dev.sluice.models.vtd.VtdMachine.QIE;
import static dev.sluice.models.vtd.VtdMachine.QUEUE;
import static dev.sluice.models.vtd.VtdMachine.STATUS;
import static dev.sluice.models.vtd.VtdMachine.waitLow;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.sluice.dma.DmaContext;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.MessagePort;
import dev.sluice.memory.RamRegion;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InvalidationQueueTest {
  private static final long IQE = 0x10;
  private static final long IM = 0x8000_0000L;
  private static final long IP = 0x4000_0000L;
  private static final long IOTLB_GLOBAL = 0x12;
  private static final long CONTEXT_GLOBAL = 0x11;
  private static final long A = 0x10_0000;
  private static final long B = 0x20_0000;
  private static final long DATA = 0x8_0000;

  private final VtdMachine machine = new VtdMachine();
  private final GuestTables tables = machine.tables;
  private final long top = tables.translated(DEVICE, GuestTables.WIDTH_48, DOMAIN);

  @BeforeEach
  void mapTwoPagesAndTouchThem() {
    map(A);
    map(B);
    machine.queued().enabled();
    assertThat(touches(machine.device, A)).isTrue();
    assertThat(touches(machine.device, B)).isTrue();
  }

  @AfterEach
  void giveMemoryBack() {
    machine.close();
  }

  private void map(long iova) {
    tables.map(top, 4, 1, iova, DATA, GuestTables.READ_WRITE);
  }

  private static boolean touches(DmaContext device, long iova) {
    return device.fill(iova, 4, (byte) 1) == null;
  }

  private static long iotlbDomain(int domain) {
    return 0x22 | ((long) domain << 16);
  }

  private static long iotlbPages(int domain) {
    return 0xF2 | ((long) domain << 16);
  }

  private static long contextDomain(int domain) {
    return 0x21 | ((long) domain << 16);
  }

  private static long contextDevice(RequesterId requester, int functionMask, int domain) {
    return 0x31
        | ((long) domain << 16)
        | ((long) requester.value() << 32)
        | ((long) functionMask << 48);
  }

  @Nested
  class Invalidations {
    private void unmapBoth() {
      tables.unmap(top, 4, 1, A);
      tables.unmap(top, 4, 1, B);
    }

    @Test
    void globalForgetsEveryTranslation() {
      unmapBoth();
      machine.submit(IOTLB_GLOBAL, 0);
      assertThat(touches(machine.device, A)).isFalse();
      assertThat(touches(machine.device, B)).isFalse();
      assertThat(machine.iommu.statistics().invalidations().iotlbGlobal()).isEqualTo(1);
    }

    @Test
    void domainForgetsItsOwnTranslations() {
      unmapBoth();
      machine.submit(iotlbDomain(DOMAIN + 1), 0);
      assertThat(touches(machine.device, A)).isTrue();
      machine.submit(iotlbDomain(DOMAIN), 0);
      assertThat(touches(machine.device, A)).isFalse();
      assertThat(touches(machine.device, B)).isFalse();
      assertThat(machine.iommu.statistics().invalidations().iotlbDomain()).isEqualTo(2);
    }

    @Test
    void pageForgetsItsPageAndNoOther() {
      unmapBoth();
      machine.submit(iotlbPages(DOMAIN), A);
      assertThat(touches(machine.device, A)).isFalse();
      assertThat(touches(machine.device, B)).isTrue();
      assertThat(machine.iommu.statistics().invalidations().iotlbPage()).isEqualTo(1);
    }

    @Test
    void pageOfAnotherDomainForgetsNothing() {
      unmapBoth();
      machine.submit(iotlbPages(DOMAIN + 1), A);
      assertThat(touches(machine.device, A)).isTrue();
    }

    @Test
    void aMaskTakesTheWholeRun() {
      unmapBoth();
      // A to B are 512 pages apart: a run of 1024 pages at 0 holds both, one of 256 at A holds A.
      machine.submit(iotlbPages(DOMAIN), A | 8);
      assertThat(touches(machine.device, A)).isFalse();
      assertThat(touches(machine.device, B)).isTrue();
      machine.submit(iotlbPages(DOMAIN), A | 10);
      assertThat(touches(machine.device, B)).isFalse();
    }

    @Test
    void aPageWithinALargePageForgetsTheLargePage() {
      tables.map(top, 4, 2, 1L << 30, 0x20_0000, GuestTables.READ_WRITE);
      assertThat(touches(machine.device, 1L << 30)).isTrue();
      tables.unmap(top, 4, 2, 1L << 30);
      assertThat(touches(machine.device, 1L << 30)).isTrue();
      machine.submit(iotlbPages(DOMAIN), (1L << 30) + 0x5000);
      assertThat(touches(machine.device, 1L << 30)).isFalse();
    }

    @Test
    void contextInvalidationsKeepTranslations() {
      unmapBoth();
      machine.submit(CONTEXT_GLOBAL, 0, contextDomain(DOMAIN), 0);
      machine.submit(contextDevice(DEVICE, 0, DOMAIN), 0);
      assertThat(touches(machine.device, A)).isTrue();
      VtdStatistics.Invalidations counts = machine.iommu.statistics().invalidations();
      assertThat(counts.contextGlobal()).isEqualTo(1);
      assertThat(counts.contextDomain()).isEqualTo(1);
      assertThat(counts.contextDevice()).isEqualTo(1);
    }

    @Test
    void globalContextInvalidationForgetsTheEntry() {
      tables.contextEntry(DEVICE, 0, 0);
      machine.submit(CONTEXT_GLOBAL, 0);
      assertThat(touches(machine.device, A)).isFalse();
    }

    @Test
    void domainContextInvalidationForgetsTheEntriesOfTheDomain() {
      tables.contextEntry(DEVICE, 0, 0);
      machine.submit(contextDomain(DOMAIN + 1), 0);
      assertThat(touches(machine.device, A)).isTrue();
      machine.submit(contextDomain(DOMAIN), 0);
      assertThat(touches(machine.device, A)).isFalse();
    }

    @Test
    void deviceContextInvalidationForgetsThatDevicesEntry() {
      tables.contextEntry(DEVICE, 0, 0);
      machine.submit(contextDevice(RequesterId.of(0, 6, 0), 0, DOMAIN), 0);
      assertThat(touches(machine.device, A)).isTrue();
      machine.submit(contextDevice(DEVICE, 0, DOMAIN), 0);
      assertThat(touches(machine.device, A)).isFalse();
    }

    @Test
    void deviceContextInvalidationNeedsTheDomainOfTheEntry() {
      tables.contextEntry(DEVICE, 0, 0);
      machine.submit(contextDevice(DEVICE, 0, DOMAIN + 1), 0);
      assertThat(touches(machine.device, A)).isTrue();
      machine.submit(contextDevice(DEVICE, 0, DOMAIN), 0);
      assertThat(touches(machine.device, A)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void theFunctionMaskWidensItToOtherFunctions(int mask) {
      DmaContext[] functions = new DmaContext[8];
      for (int i = 0; i < 8; i++) {
        RequesterId id = RequesterId.of(0, 9, i);
        functions[i] = machine.attach(id);
        tables.context(id, 0, top, GuestTables.WIDTH_48, DOMAIN);
        assertThat(touches(functions[i], A)).isTrue();
        tables.contextEntry(id, 0, 0);
      }
      machine.submit(contextDevice(RequesterId.of(0, 9, 5), mask, DOMAIN), 0);
      int[] fixed = {7, 3, 1, 0};
      for (int i = 0; i < 8; i++) {
        boolean meant = (i & fixed[mask]) == (5 & fixed[mask]);
        assertThat(touches(functions[i], A)).as("function %d", i).isNotEqualTo(meant);
      }
    }
  }

  @Nested
  class Waits {
    @Test
    void aStatusIsWrittenAsFourLittleEndianBytes() {
      tables.store(STATUS, -1);
      machine.submit(IOTLB_GLOBAL, 0, waitLow(0x1234_5678), STATUS);
      assertThat(tables.load(STATUS)).isEqualTo(0xFFFF_FFFF_1234_5678L);
      assertThat(machine.head()).isEqualTo(2);
      assertThat(machine.iommu.statistics().invalidations().waits()).isEqualTo(1);
    }

    @Test
    void withoutTheStatusFlagNothingIsWritten() {
      machine.submit((0x77L << 32) | 5, STATUS);
      assertThat(machine.status()).isZero();
      assertThat(machine.head()).isEqualTo(1);
    }

    @Test
    void aStatusAddressWithoutMemoryIsPassedOver() {
      machine.submit(waitLow(1), 1L << 45, waitLow(2), STATUS);
      assertThat(machine.status()).isEqualTo(2);
      assertThat(machine.read32(FSTS)).isZero();
    }

    @Test
    void theInterruptFlagRaisesTheCompletionEvent() {
      machine.write32(VtdMachine.IEDATA, 0x41);
      machine.write32(VtdMachine.IEADDR, 0xFEE0_2000L);
      machine.write32(VtdMachine.IEUADDR, 1);
      machine.write32(IECTL, 0);
      machine.submit(0x15, 0);
      assertThat(machine.interrupts).containsExactly("1fee02000:41");
      assertThat(machine.events).containsExactly(InterruptSink.Event.COMPLETION);
      assertThat(machine.read32(ICS)).isEqualTo(1);
      assertThat(machine.read32(IECTL)).isZero();
    }

    @Test
    void aFurtherCompletionIsNoNewConditionUntilSoftwareHasSeenTheFirst() {
      machine.write32(IECTL, 0);
      machine.submit(0x15, 0, 0x15, 0);
      assertThat(machine.interrupts).hasSize(1);
      machine.write32(ICS, 1);
      assertThat(machine.read32(ICS)).isZero();
      machine.submit(0x15, 0);
      assertThat(machine.interrupts).hasSize(2);
    }

    @Test
    void aMaskedCompletionIsPendingUntilUnmaskedOrSeen() {
      machine.submit(0x15, 0);
      assertThat(machine.read32(IECTL)).isEqualTo(IM | IP);
      machine.write32(IECTL, 0);
      assertThat(machine.interrupts).hasSize(1);
      machine.write32(IECTL, IM);
      machine.write32(ICS, 1);
      machine.submit(0x15, 0);
      assertThat(machine.read32(IECTL)).isEqualTo(IM | IP);
      machine.write32(ICS, 1);
      assertThat(machine.read32(IECTL)).isEqualTo(IM);
      machine.write32(IECTL, 0);
      assertThat(machine.interrupts).hasSize(1);
    }

    @Test
    void bothFlagsAtOnce() {
      machine.write32(IECTL, 0);
      machine.submit(waitLow(9) | 0x10, STATUS);
      assertThat(machine.status()).isEqualTo(9);
      assertThat(machine.interrupts).hasSize(1);
    }
  }

  @Nested
  class Errors {
    private void assertStopped(int at, int info) {
      assertThat(machine.read32(FSTS)).isEqualTo(IQE);
      assertThat(machine.head()).isEqualTo(at);
      assertThat(machine.read64(IQERCD) & 0xF).isEqualTo(info);
    }

    @Test
    void anUnknownTypeStopsTheQueueAtTheDescriptor() {
      machine.submit(IOTLB_GLOBAL, 0, 0xE, 0, waitLow(1), STATUS);
      assertStopped(1, 3);
      assertThat(machine.status()).isZero();
      assertThat(machine.iommu.statistics().invalidations().queueErrors()).isEqualTo(1);
    }

    @Test
    void aDeviceTlbDescriptorIsUnknownToAUnitWithoutDeviceTlbs() {
      machine.submit(0x3, 0);
      assertStopped(0, 3);
    }

    @Test
    void aReservedBitStopsTheQueue() {
      machine.submit(IOTLB_GLOBAL | (1L << 40), 0);
      assertStopped(0, 4);
    }

    @Test
    void anAddressMaskAboveTheMaximumStopsTheQueue() {
      machine.submit(iotlbPages(DOMAIN), A | 19);
      assertStopped(0, 4);
    }

    @Test
    void aTailOutsideOfTheQueueStopsItBeforeAnything() {
      machine.write32(IQT, 256 * 16);
      assertStopped(0, 1);
    }

    @Test
    void aQueueOutsideOfMemoryCannotBeFetched() {
      machine.command(0, QIE);
      machine.write64(IQA, 1L << 40);
      machine.command(QIE, 0);
      machine.write32(IQT, 16);
      assertStopped(0, 2);
    }

    @Test
    void nothingIsFetchedWhileTheErrorStands() {
      machine.submit(0xE, 0);
      machine.submit(waitLow(1), STATUS);
      assertStopped(0, 3);
      assertThat(machine.status()).isZero();
    }

    /// As Linux does: overwrite the bad descriptor, clear the error, go on.
    @Test
    void onceSoftwareHasClearedTheErrorTheQueueGoesOnFromTheSameDescriptor() {
      machine.submit(0xE, 0, waitLow(5), STATUS);
      tables.store(QUEUE, IOTLB_GLOBAL);
      machine.write32(FSTS, IQE);
      assertThat(machine.read32(FSTS)).isZero();
      assertThat(machine.status()).isEqualTo(5);
      assertThat(machine.head()).isEqualTo(2);
    }

    @Test
    void theSameBadDescriptorStopsItAgain() {
      machine.submit(0xE, 0);
      machine.write32(FSTS, IQE);
      assertStopped(0, 3);
      assertThat(machine.iommu.statistics().invalidations().queueErrors()).isEqualTo(2);
    }

    @Test
    void aTailPutRightIsFollowedOnceTheErrorIsCleared() {
      machine.write32(IQT, 256 * 16);
      tables.store(QUEUE, waitLow(3));
      tables.store(QUEUE + 8, STATUS);
      machine.write32(IQT, 16);
      assertThat(machine.status()).isZero();
      machine.write32(FSTS, IQE);
      assertThat(machine.status()).isEqualTo(3);
    }

    @Test
    void eachErrorIsAnEvent() {
      machine.write32(VtdMachine.FECTL, 0);
      machine.submit(0xE, 0);
      assertThat(machine.interrupts).hasSize(1);
      machine.write32(FSTS, IQE);
      assertThat(machine.interrupts).hasSize(2);
    }

    @Test
    void disablingTheQueueLeavesTheErrorForSoftwareToClear() {
      machine.submit(0xE, 0);
      machine.command(0, QIE);
      assertThat(machine.read32(GSTS) & QIE).isZero();
      assertThat(machine.read64(IQH)).isZero();
      assertThat(machine.read32(FSTS)).isEqualTo(IQE);
    }
  }

  @Nested
  class TheRing {
    @Test
    void wrapsAround() {
      for (int i = 1; i <= 700; i++) {
        machine.submit(IOTLB_GLOBAL, 0, waitLow(i), STATUS);
        assertThat(machine.status()).isEqualTo(i);
      }
      assertThat(machine.head()).isEqualTo(1400 % 256);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4, 7})
    void hasTheSizeThatItsAddressRegisterSays(int size) {
      int entries = 1 << (8 + size);
      try (VtdMachine big = new VtdMachine()) {
        big.write64(IQA, 0x10_0000 | size);
        big.command(QIE, 0);
        for (int i = 0; i < entries; i++) {
          big.tables.store(0x10_0000 + i * 16L, IOTLB_GLOBAL);
        }
        big.tables.store(0x10_0000 + (entries - 2) * 16L, waitLow(42));
        big.tables.store(0x10_0000 + (entries - 2) * 16L + 8, STATUS);
        big.write32(IQT, (entries - 1) * 16L);
        big.runWorker();
        assertThat(big.status()).isEqualTo(42);
        assertThat(big.head()).isEqualTo(entries - 1);
        big.write32(IQT, 0);
        big.runWorker();
        assertThat(big.head()).isZero();
        if (size < 7) {
          big.write32(IQT, entries * 16L);
          assertThat(big.read32(FSTS)).isEqualTo(IQE);
        }
      }
    }

    @Test
    void descriptorsThatWaitWhenItIsEnabledAreExecuted() {
      machine.command(0, QIE);
      tables.store(QUEUE, waitLow(8));
      tables.store(QUEUE + 8, STATUS);
      machine.write32(IQT, 16);
      assertThat(machine.status()).isZero();
      machine.command(QIE, 0);
      assertThat(machine.status()).isEqualTo(8);
    }

    @Test
    void itsAddressIsTakenWhenItIsEnabled() {
      machine.write64(IQA, 1L << 40);
      machine.submit(waitLow(8), STATUS);
      assertThat(machine.status()).isEqualTo(8);
    }

    @Test
    void theHeadReturnsToZeroWhenItIsDisabled() {
      machine.submit(IOTLB_GLOBAL, 0);
      machine.command(0, QIE);
      assertThat(machine.read64(IQH)).isZero();
      assertThat(machine.read32(GSTS) & QIE).isZero();
    }
  }

  /// Memory that the peer did not share: the guest's thread must not wait for it, the worker may.
  @Nested
  class MemoryReachedByMessages {
    private static final long REMOTE = 0x4000_0000L;

    private final GuestMemory peer = new GuestMemory();
    private boolean mayWait;

    /// Happens while a write is on its way.
    private Runnable meanwhile = () -> {};

    private final MessagePort port =
        new MessagePort() {
          @Override
          public boolean mayWait() {
            return mayWait;
          }

          @Override
          public MemoryStatus read(long address, MemorySegment into, long offset, long length) {
            return mayWait && peer.read(address, into, offset, length) == length
                ? MemoryStatus.OK
                : MemoryStatus.WOULD_BLOCK;
          }

          @Override
          public MemoryStatus write(long address, MemorySegment from, long offset, long length) {
            if (mayWait) {
              meanwhile.run();
            }
            return mayWait && peer.write(address, from, offset, length) == length
                ? MemoryStatus.OK
                : MemoryStatus.WOULD_BLOCK;
          }
        };
    private final GuestTables remote = new GuestTables(peer(), REMOTE);

    private GuestMemory peer() {
      peer.addRam(REMOTE, RamRegion.allocate(8192));
      machine.memory.addMessageOnly(REMOTE, 8192, true, port);
      return peer;
    }

    @AfterEach
    void giveRemoteMemoryBack() {
      peer.remove(REMOTE, REMOTE + 8191, () -> {});
    }

    private void queueThere() {
      machine.command(0, QIE);
      remote.store(REMOTE, waitLow(8));
      remote.store(REMOTE + 8, STATUS);
      machine.write64(IQA, REMOTE);
      machine.command(QIE, 0);
      machine.write32(IQT, 16);
    }

    @Test
    void aQueueThereIsLeftToTheWorker() {
      queueThere();
      assertThat(machine.head()).isZero();
      assertThat(machine.worker).hasSize(1);
      mayWait = true;
      machine.runWorker();
      assertThat(machine.status()).isEqualTo(8);
      assertThat(machine.read32(FSTS)).isZero();
    }

    @Test
    void aQueueThatTheWorkerCannotReachEitherCannotBeFetched() {
      queueThere();
      machine.runWorker();
      assertThat(machine.read32(FSTS)).isEqualTo(IQE);
      assertThat(machine.read64(IQERCD)).isEqualTo(2);
    }

    @Test
    void aStatusThereIsLeftToTheWorker() {
      machine.submit(waitLow(8), REMOTE + 4096);
      assertThat(machine.head()).isZero();
      mayWait = true;
      machine.runWorker();
      assertThat(remote.load(REMOTE + 4096)).isEqualTo(8);
      assertThat(machine.head()).isEqualTo(1);
    }

    @Test
    void aStatusThatTheWorkerCannotWriteEitherIsPassedOver() {
      machine.submit(waitLow(8), REMOTE + 4096);
      machine.runWorker();
      assertThat(machine.head()).isEqualTo(1);
      assertThat(machine.worker).isEmpty();
    }

    @Test
    void aResetIsNotDrainedWhileTheWorkerWritesAStatusFromBefore() {
      AtomicInteger drained = new AtomicInteger();
      machine.submit(waitLow(8), REMOTE + 4096);
      mayWait = true;
      meanwhile =
          () -> {
            machine.iommu.reset(drained::incrementAndGet);
            assertThat(machine.read32(GSTS)).isZero();
            assertThat(drained).as("the status is on its way").hasValue(0);
          };
      machine.runWorker();
      assertThat(drained).hasValue(1);
      machine.iommu.reset(drained::incrementAndGet);
      assertThat(drained).as("nothing is under way").hasValue(2);
    }

    @Test
    void memoryThatFailsTheHostLeavesTheQueueToTheNextBellAndAResetDrained() {
      AtomicInteger drained = new AtomicInteger();
      machine.submit(waitLow(8), REMOTE + 4096);
      mayWait = true;
      meanwhile =
          () -> {
            machine.iommu.reset(drained::incrementAndGet);
            throw new InternalError("a file was cut short");
          };
      assertThatExceptionOfType(InternalError.class).isThrownBy(machine::runWorker);
      assertThat(drained).hasValue(1);
      machine.queued().submit(IOTLB_GLOBAL, 0, waitLow(9), STATUS);
      assertThat(machine.status()).isEqualTo(9);
    }
  }

  /// A guest may fill the queue and go on filling it; no thread is kept by that.
  @Nested
  class Turns {
    @Test
    void theGuestsThreadDoesAFewAndTheWorkerTheRest() {
      long[] many = new long[400];
      for (int i = 0; i < many.length; i += 2) {
        many[i] = IOTLB_GLOBAL;
      }
      machine.submit(many);
      assertThat(machine.head()).isEqualTo(InvalidationQueue.TURN);
      assertThat(machine.worker).hasSize(1);
      machine.worker.remove().run();
      assertThat(machine.head()).isEqualTo(2 * InvalidationQueue.TURN);
      assertThat(machine.worker).hasSize(1);
      machine.runWorker();
      assertThat(machine.head()).isEqualTo(200);
      assertThat(machine.worker).isEmpty();
    }

    @Test
    void movingTheTailForEverKeepsNobodyAndAddsNoWorker() {
      for (int i = 0; i < 10_000; i++) {
        machine.write32(IQT, (i * 97 % 256) * 16L);
      }
      assertThat(machine.worker.size()).isLessThanOrEqualTo(1);
    }
  }
}
