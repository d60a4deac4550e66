package dev.sluice.models.vtd;

import static dev.sluice.models.vtd.VtdMachine.FEADDR;
import static dev.sluice.models.vtd.VtdMachine.FECTL;
import static dev.sluice.models.vtd.VtdMachine.FEDATA;
import static dev.sluice.models.vtd.VtdMachine.FEUADDR;
import static dev.sluice.models.vtd.VtdMachine.FRCD;
import static dev.sluice.models.vtd.VtdMachine.FSTS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Word;
import java.nio.ByteOrder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FaultReportingTest {
  private static final long PFO = 1;
  private static final long PPF = 2;
  private static final long IQE = 0x10;
  private static final long IM = 0x8000_0000L;
  private static final long IP = 0x4000_0000L;
  private static final long F = 1L << 63;

  private final VtdMachine machine = new VtdMachine();

  /// No root entry is present: every access faults with reason 1.
  @BeforeEach
  void translateByEmptyTables() {
    machine.enabled();
    machine.write32(FEDATA, 0x4022);
    machine.write32(FEADDR, 0xFEE0_1000L);
    machine.write32(FEUADDR, 0x12);
  }

  @AfterEach
  void giveMemoryBack() {
    machine.close();
  }

  private void writeFault(long page) {
    assertThat(machine.device.fill(page << 12, 4, (byte) 0)).isNotNull();
  }

  private long status() {
    return machine.read32(FSTS);
  }

  private static long frcd(int index) {
    return FRCD + 16L * index;
  }

  private long high(int index) {
    return machine.read64(frcd(index) + 8);
  }

  private long page(int index) {
    return machine.read64(frcd(index)) >>> 12;
  }

  private boolean pending(int index) {
    return (high(index) & F) != 0;
  }

  /// As Linux does: the uppermost 4 bytes.
  private void clear(int index) {
    machine.write32(frcd(index) + 12, 0x8000_0000L);
  }

  @Test
  void aWriteIsRecordedWithPageReasonAndRequester() {
    assertThat(machine.device.fill(0x1234_5678_9ABCL, 4, (byte) 0)).isNotNull();
    assertThat(machine.read64(frcd(0))).isEqualTo(0x1234_5678_9000L);
    assertThat(high(0)).isEqualTo(F | (1L << 32) | VtdMachine.DEVICE.value());
    assertThat(status()).isEqualTo(PPF);
    assertThat(machine.iommu.statistics().faults().recorded()).isEqualTo(1);
  }

  @Test
  void aReadHasItsTypeBit() {
    assertThat(machine.device.load(0x5000, 4, ByteOrder.LITTLE_ENDIAN, new Word())).isNotNull();
    assertThat(high(0)).isEqualTo(F | (1L << 62) | (1L << 32) | 0x28);
  }

  @Test
  void anAtomicHasBothTypeBits() {
    assertThat(machine.device.fetchAndAdd(0x5000, 4, ByteOrder.LITTLE_ENDIAN, 1, new Word()))
        .isNotNull();
    assertThat(high(0)).isEqualTo(F | (1L << 62) | (1L << 32) | (1L << 28) | 0x28);
  }

  @Test
  void addressBitsAboveTheGuestAddressWidthAreZero() {
    writeFault(0xFFFF_FFFF_FFFF_FL);
    assertThat(page(0)).isEqualTo(0xF_FFFF_FFFFL);
  }

  @Test
  void theRequesterIsTheOneThatAsked() {
    DmaContext other = machine.attach(RequesterId.of(0xAB, 0x1C, 3));
    assertThat(other.fill(0, 1, (byte) 0)).isNotNull();
    assertThat(high(0) & 0xFFFF).isEqualTo(0xABE3);
  }

  @Test
  void faultsFillTheRegistersInTurn() {
    for (int i = 0; i < 8; i++) {
      writeFault(i);
    }
    for (int i = 0; i < 8; i++) {
      assertThat(pending(i)).isTrue();
      assertThat(page(i)).isEqualTo(i);
    }
    assertThat(status()).isEqualTo(PPF);
  }

  @Test
  void theIndexIsThatOfTheFirstPendingOne() {
    writeFault(0);
    writeFault(1);
    clear(0);
    assertThat(status()).isEqualTo(PPF);
    clear(1);
    assertThat(status()).isZero();
    writeFault(2);
    assertThat(status()).isEqualTo(PPF | 2 << 8);
    writeFault(3);
    assertThat(status()).isEqualTo(PPF | 2 << 8);
  }

  @Test
  void aFaultWithoutAFreeRegisterIsLostAndSaidToBe() {
    for (int i = 0; i < 9; i++) {
      writeFault(i);
    }
    assertThat(status()).isEqualTo(PPF | PFO);
    assertThat(page(0)).isZero();
    assertThat(machine.iommu.statistics().faults().recorded()).isEqualTo(8);
    assertThat(machine.iommu.statistics().faults().lost()).isEqualTo(1);
  }

  @Test
  void nothingIsRecordedUntilSoftwareHasSeenTheOverflow() {
    for (int i = 0; i < 9; i++) {
      writeFault(i);
    }
    for (int i = 0; i < 8; i++) {
      clear(i);
    }
    assertThat(status()).isEqualTo(PFO);
    writeFault(20);
    assertThat(status()).isEqualTo(PFO);
    machine.write32(FSTS, PFO);
    assertThat(status()).isZero();
    writeFault(21);
    assertThat(status()).isEqualTo(PPF);
    assertThat(page(0)).isEqualTo(21);
  }

  @Test
  void theSameFaultAgainIsMergedIntoThePendingRecord() {
    for (int i = 0; i < 100; i++) {
      writeFault(7);
    }
    assertThat(pending(1)).isFalse();
    assertThat(status()).isEqualTo(PPF);
    assertThat(machine.iommu.statistics().faults().merged()).isEqualTo(99);
    clear(0);
    writeFault(7);
    assertThat(pending(1)).isTrue();
  }

  @Test
  void aDifferentFaultOfTheSameRequesterIsNot() {
    writeFault(7);
    assertThat(machine.device.load(7 << 12, 4, ByteOrder.LITTLE_ENDIAN, new Word())).isNotNull();
    assertThat(pending(1)).isTrue();
  }

  @Test
  void oneRecordingRegisterIsEnoughToWork() {
    try (VtdMachine small = new VtdMachine(VtdConfig.DEFAULT.withFaultRecordingRegisters(1))) {
      small.enabled();
      assertThat(small.device.fill(0, 1, (byte) 0)).isNotNull();
      assertThat(small.device.fill(4096, 1, (byte) 0)).isNotNull();
      assertThat(small.read32(FSTS)).isEqualTo(PPF | PFO);
      small.write32(frcd(0) + 12, 0x8000_0000L);
      small.write32(FSTS, PFO);
      assertThat(small.device.fill(8192, 1, (byte) 0)).isNotNull();
      assertThat(small.read64(frcd(0))).isEqualTo(8192);
    }
  }

  @Test
  void softwareCannotClearThePendingBitByItself() {
    writeFault(1);
    machine.write32(FSTS, PPF | 0xFF00);
    assertThat(status()).isEqualTo(PPF);
  }

  @Test
  void writingZeroToARecordClearsNothing() {
    writeFault(1);
    machine.write64(frcd(0) + 8, 0);
    machine.write64(frcd(0), -1);
    assertThat(pending(0)).isTrue();
    assertThat(page(0)).isEqualTo(1);
  }

  @Test
  void theEventIsMaskedAfterResetAndStaysPending() {
    writeFault(1);
    assertThat(machine.interrupts).isEmpty();
    assertThat(machine.read32(FECTL)).isEqualTo(IM | IP);
  }

  @Test
  void unmaskingSendsThePendingMessageOnce() {
    writeFault(1);
    machine.write32(FECTL, 0);
    assertThat(machine.interrupts).containsExactly("12fee01000:4022");
    assertThat(machine.events).containsExactly(InterruptSink.Event.FAULT);
    assertThat(machine.read32(FECTL)).isZero();
    machine.write32(FECTL, IM);
    machine.write32(FECTL, 0);
    assertThat(machine.interrupts).hasSize(1);
  }

  @Test
  void anUnmaskedEventIsSentAtOnceAndOnlyOnceWhileFaultsArePending() {
    machine.write32(FECTL, 0);
    writeFault(1);
    writeFault(2);
    assertThat(machine.interrupts).hasSize(1);
    clear(0);
    writeFault(3);
    assertThat(machine.interrupts).hasSize(1);
    clear(1);
    clear(2);
    writeFault(4);
    assertThat(machine.interrupts).hasSize(2);
  }

  @Test
  void seeingToEveryCauseWithdrawsAPendingMessage() {
    writeFault(1);
    clear(0);
    assertThat(machine.read32(FECTL)).isEqualTo(IM);
    machine.write32(FECTL, 0);
    assertThat(machine.interrupts).isEmpty();
  }

  @Test
  void aCauseThatIsLeftKeepsTheMessagePending() {
    for (int i = 0; i < 9; i++) {
      writeFault(i);
    }
    for (int i = 0; i < 8; i++) {
      clear(i);
    }
    assertThat(machine.read32(FECTL)).isEqualTo(IM | IP);
    machine.write32(FSTS, PFO);
    assertThat(machine.read32(FECTL)).isEqualTo(IM);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aQueueErrorIsACauseToo(boolean faultFirst) {
    machine.queued();
    machine.write32(FECTL, 0);
    if (faultFirst) {
      writeFault(1);
    }
    machine.submit(0xF, 0);
    assertThat(status()).isEqualTo(faultFirst ? PPF | IQE : IQE);
    if (!faultFirst) {
      writeFault(1);
    }
    assertThat(machine.interrupts).hasSize(1);
  }

  @Test
  void softwareCannotSetThePendingBitItself() {
    machine.write32(FECTL, IM | IP);
    assertThat(machine.read32(FECTL)).isEqualTo(IM);
    machine.write32(FECTL, IP);
    assertThat(machine.interrupts).isEmpty();
  }
}
