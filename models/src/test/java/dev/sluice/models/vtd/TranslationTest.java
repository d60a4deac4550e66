package dev.sluice.models.vtd;

import static dev.sluice.models.vtd.GuestTables.READ;
import static dev.sluice.models.vtd.GuestTables.READ_WRITE;
import static dev.sluice.models.vtd.GuestTables.TYPE_DEVICE_TLB;
import static dev.sluice.models.vtd.GuestTables.TYPE_PASS_THROUGH;
import static dev.sluice.models.vtd.GuestTables.WIDTH_39;
import static dev.sluice.models.vtd.GuestTables.WIDTH_48;
import static dev.sluice.models.vtd.GuestTables.WRITE;
import static dev.sluice.models.vtd.VtdMachine.DEVICE;
import static dev.sluice.models.vtd.VtdMachine.DOMAIN;
import static dev.sluice.models.vtd.VtdMachine.MEMORY_BYTES;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.TargetAbort;
import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import dev.sluice.memory.Word;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class TranslationTest {
  private static final long IOVA = 0x12_3456_7000L;
  private static final long DATA = 0x10_0000;

  private final VtdMachine machine = new VtdMachine();
  private final GuestTables tables = machine.tables;

  @AfterEach
  void giveMemoryBack() {
    machine.close();
  }

  private Translation translate(long iova, Access access) {
    return machine.iommu.translate(machine.device.endpoint(), iova, access);
  }

  private Translation.Page page(long iova, Access access) {
    Translation translation = translate(iova, access);
    assertThat(translation).isInstanceOf(Translation.Page.class);
    return (Translation.Page) translation;
  }

  private void assertFault(long iova, Access access, int code, AbortReason reason) {
    assertThat(translate(iova, access)).isEqualTo(new Translation.Fault(reason, code, true));
  }

  /// As behind QEMU, where each function has a session, and memory, of its own.
  @Test
  void pagesAreThoseOfTheDevicesMemoryNotOfTheUnits() {
    long top = tables.translated(DEVICE, WIDTH_48, DOMAIN);
    tables.map(top, 4, 1, IOVA, DATA, READ_WRITE);
    tables.map(top, 4, 1, IOVA + 4096, DATA + 4096, READ_WRITE);
    tables.map(top, 4, 1, IOVA + 8192, DATA + 8192, READ_WRITE);
    machine.enabled();
    GuestMemory memory = new GuestMemory();
    memory.addRam(DATA, RamRegion.allocate(8192));
    try (DmaContext device = DmaContext.behind(machine.iommu, memory, DEVICE)) {
      Word word = new Word();
      for (int i = 0; i < 2; i++) {
        assertThat(device.fill(IOVA + i * 4096L, 4, (byte) 7)).isNull();
        memory.load(DATA + i * 4096L, 4, ByteOrder.LITTLE_ENDIAN, word);
        assertThat(word.asInt()).isEqualTo(0x0707_0707);
        assertThat(tables.load(DATA + i * 4096L)).isZero();
      }
      assertThat(device.fill(IOVA + 8192, 4, (byte) 7)).as("memory it has not").isNotNull();
      assertThat(tables.load(DATA + 8192)).isZero();
    }
    memory.remove(0, -1, () -> {});
  }

  private static int levels(long width) {
    return width == WIDTH_39 ? 3 : 4;
  }

  @Test
  void aRequestWithAPasidIsRefusedAsLegacyModeHasNoTablesForIt() {
    machine.enabled();
    try (DmaContext other = DmaContext.behind(machine.iommu, machine.memory, DEVICE, 5)) {
      TargetAbort abort = other.fill(0, 1, (byte) 1);
      assertThat(abort).isNotNull().returns(AbortReason.BLOCKED, TargetAbort::reason);
      assertThat(machine.read32(0x34)).as("FSTS").isZero();
    }
  }

  @Nested
  class WithTranslationOff {
    @Test
    void addressesAreGuestPhysical() {
      tables.store(DATA + 8, 0x5A5A_1234L);
      Word word = new Word();
      assertThat(machine.device.load(DATA + 8, 4, ByteOrder.LITTLE_ENDIAN, word)).isNull();
      assertThat(word.asInt()).isEqualTo(0x5A5A_1234);
    }

    @Test
    void memoryThatIsNotThereIsNotTheUnitsFault() {
      TargetAbort abort = machine.device.fill(MEMORY_BYTES, 4, (byte) 1);
      assertThat(abort).isNotNull();
      assertThat(abort.reason()).isEqualTo(AbortReason.NO_MEMORY);
      assertThat(machine.read32(VtdMachine.FSTS)).isZero();
    }

    @Test
    void theIdentityNeverCoversTheInterruptRange() {
      assertThat(page(0xFEDF_F000L, Access.READ).last()).isLessThan(0xFEE0_0000L);
      assertThat(page(0xFEF0_0000L, Access.READ).iova()).isEqualTo(0xFEF0_0000L);
      assertThat(page(-1, Access.READ).last()).isEqualTo(-1);
      assertThat(translate(0xFEE0_0000L, Access.WRITE)).isEqualTo(new Translation.Interrupt());
    }
  }

  @Nested
  class Walks {
    @ParameterizedTest
    @CsvSource({"1,1", "1,2", "1,3", "2,1", "2,2", "2,3"})
    void leadToAPageOfEverySizeFromEveryTableHeight(long width, int level) {
      int shift = 12 + 9 * (level - 1);
      long iova = IOVA & -(1L << shift);
      long address = 3L << 30;
      if (level == 3) {
        address = 5L << 30;
      }
      long top = tables.translated(DEVICE, width, DOMAIN);
      tables.map(top, levels(width), level, iova, address, READ_WRITE);
      machine.enabled();

      long within = (1L << shift) - 1;
      assertThat(page(iova, Access.READ))
          .isEqualTo(new Translation.Page(iova, address, shift, true, true, DOMAIN));
      assertThat(page(iova + within, Access.WRITE).translate(iova + within))
          .isEqualTo(address + within);
      assertFault(iova + within + 1, Access.READ, 6, AbortReason.NOT_MAPPED);
      assertFault(iova - 1, Access.WRITE, 5, AbortReason.NOT_MAPPED);
    }

    @Test
    void theDevicesBytesLandInTheMappedPages() {
      long top = tables.translated(DEVICE, WIDTH_48, DOMAIN);
      tables.map(top, 4, 1, IOVA, DATA, READ_WRITE);
      tables.map(top, 4, 1, IOVA + 4096, DATA - 4096, READ_WRITE);
      machine.enabled();
      assertThat(machine.device.fill(IOVA + 4092, 8, (byte) 0x77)).isNull();
      assertThat(tables.load(DATA + 4088)).isEqualTo(0x7777_7777_0000_0000L);
      assertThat(tables.load(DATA - 4096)).isEqualTo(0x7777_7777L);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void rightsOfEveryLevelCount(int level) {
      long top = tables.translated(DEVICE, WIDTH_48, DOMAIN);
      tables.map(top, 4, 1, IOVA, DATA, READ_WRITE);
      long entry = tables.entryAddress(top, 4, level, IOVA);
      long full = tables.load(entry);
      machine.enabled();

      tables.store(entry, full & ~WRITE);
      assertThat(page(IOVA, Access.READ).writable()).isFalse();
      assertFault(IOVA, Access.WRITE, 5, AbortReason.NO_WRITE);
      assertFault(IOVA, Access.READ_WRITE, 5, AbortReason.NO_WRITE);

      tables.store(entry, full & ~READ);
      assertThat(page(IOVA, Access.WRITE).readable()).isFalse();
      assertFault(IOVA, Access.READ, 6, AbortReason.NO_READ);
      assertFault(IOVA, Access.READ_WRITE, 6, AbortReason.NO_READ);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void anEntryWithoutRightsMapsNothingAndHasNoReservedBits(int level) {
      long top = tables.translated(DEVICE, WIDTH_48, DOMAIN);
      tables.store(tables.entryAddress(top, 4, level, IOVA), ~3L);
      machine.enabled();
      assertFault(IOVA, Access.READ, 6, AbortReason.NOT_MAPPED);
      assertFault(IOVA, Access.WRITE, 5, AbortReason.NOT_MAPPED);
      assertFault(IOVA, Access.READ_WRITE, 6, AbortReason.NOT_MAPPED);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void aReservedBitIsReportedWhateverTheRights(int level) {
      long top = tables.translated(DEVICE, WIDTH_48, DOMAIN);
      tables.store(tables.entryAddress(top, 4, level, IOVA), (1L << 50) | READ);
      machine.enabled();
      assertFault(IOVA, Access.READ, 0xC, AbortReason.BAD_TABLE);
      assertFault(IOVA, Access.WRITE, 0xC, AbortReason.BAD_TABLE);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void aTableOutsideOfMemoryIsReportedByTheEntryThatLedThere(int missing) {
      long top = tables.translated(DEVICE, WIDTH_48, DOMAIN);
      tables.store(tables.entryAddress(top, 4, missing + 1, IOVA), (1L << 40) | READ_WRITE);
      machine.enabled();
      assertFault(IOVA, Access.READ, 7, AbortReason.BAD_TABLE);
    }

    @ParameterizedTest
    @ValueSource(longs = {WIDTH_39, WIDTH_48})
    void aTopTableOutsideOfMemoryIsTheContextEntrysMistake(long width) {
      tables.context(DEVICE, 0, 1L << 40, width, DOMAIN);
      machine.enabled();
      assertFault(IOVA, Access.READ, 3, AbortReason.BAD_TABLE);
    }

    @Test
    void aPageInTheInterruptRangeIsRefused() {
      long top = tables.translated(DEVICE, WIDTH_48, DOMAIN);
      tables.map(top, 4, 1, IOVA, 0xFEE0_1000L, READ_WRITE);
      tables.map(top, 4, 1, IOVA + 4096, 0xFEF0_0000L, READ_WRITE);
      machine.enabled();
      assertFault(IOVA, Access.WRITE, 0xE, AbortReason.INTERRUPT_RANGE);
      assertThat(page(IOVA + 4096, Access.READ).address()).isEqualTo(0xFEF0_0000L);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void aLargePageAroundTheInterruptRangeGivesEverythingButTheRange(int level) {
      long address = 0xFEE0_0000L & -(1L << (12 + 9 * (level - 1)));
      long top = tables.translated(DEVICE, WIDTH_48, DOMAIN);
      tables.map(top, 4, level, 1L << 40, address, READ_WRITE);
      machine.enabled();
      long range = (1L << 40) + 0xFEE0_0000L - address;
      assertFault(range, Access.READ, 0xE, AbortReason.INTERRUPT_RANGE);
      assertFault(range + 0xF_FFFF, Access.READ, 0xE, AbortReason.INTERRUPT_RANGE);
      assertThat(page(range + 0x10_0000, Access.READ))
          .isEqualTo(new Translation.Page(range + 0x10_0000, 0xFEF0_0000L, 12, true, true, DOMAIN));
    }

    /// Tables built at random, with pages of all sizes, against a list of what was put in.
    @Test
    void agreeWithWhatWasMappedAtRandom() {
      SplittableRandom random = new SplittableRandom(20);
      long top = tables.translated(DEVICE, WIDTH_48, DOMAIN);
      machine.enabled();
      Map<Long, Translation.Page> expected = new HashMap<>();
      for (int i = 0; i < 300; i++) {
        int level = 1 + random.nextInt(3);
        int shift = 12 + 9 * (level - 1);
        // Each size in 512 GiB of its own, so that none is in another's way.
        long iova = ((long) level << 39) + (random.nextLong(1L << 39) & -(1L << shift));
        long address = (1L << 32) + (random.nextLong(1L << 46) & -(1L << shift));
        if (expected.containsKey(iova)) {
          continue;
        }
        long rights = 1L + random.nextInt(3);
        tables.map(top, 4, level, iova, address, rights);
        boolean readable = (rights & READ) != 0;
        boolean writable = (rights & WRITE) != 0;
        expected.put(iova, new Translation.Page(iova, address, shift, readable, writable, DOMAIN));
      }
      for (Translation.Page page : expected.values()) {
        long at = page.iova() + random.nextLong(1L << page.shift());
        if (page.readable()) {
          assertThat(translate(at, Access.READ)).isEqualTo(page);
        } else {
          assertFault(at, Access.READ, 6, AbortReason.NO_READ);
        }
        if (page.writable()) {
          assertThat(translate(at, Access.WRITE)).isEqualTo(page);
        } else {
          assertFault(at, Access.WRITE, 5, AbortReason.NO_WRITE);
        }
      }
    }
  }

  @Nested
  class Widths {
    @ParameterizedTest
    @CsvSource({"1,39", "2,48"})
    void addressesBeyondTheTablesAreRefused(long width, int bits) {
      long top = tables.translated(DEVICE, width, DOMAIN);
      long last = (1L << bits) - 4096;
      tables.map(top, levels(width), 1, last, DATA, READ_WRITE);
      tables.map(top, levels(width), 1, 0, DATA, READ_WRITE);
      machine.enabled();
      assertThat(page(last, Access.READ).address()).isEqualTo(DATA);
      assertFault(1L << bits, Access.READ, 4, AbortReason.ADDRESS_WIDTH);
      assertFault(-4096, Access.WRITE, 4, AbortReason.ADDRESS_WIDTH);
    }

    @Test
    void passThroughEndsAtTheWidthToo() {
      tables.context(DEVICE, TYPE_PASS_THROUGH, 0, WIDTH_48, DOMAIN);
      machine.enabled();
      assertThat(page((1L << 48) - 1, Access.READ).address()).isEqualTo((1L << 48) - (2 << 20));
      assertFault(1L << 48, Access.READ, 4, AbortReason.ADDRESS_WIDTH);
    }
  }

  @Nested
  class RootAndContext {
    @Test
    void aRootTableOutsideOfMemory() {
      machine.write64(VtdMachine.RTADDR, 1L << 40);
      machine.command(VtdMachine.SRTP, 0);
      machine.command(VtdMachine.TE, 0);
      assertFault(IOVA, Access.READ, 8, AbortReason.BAD_TABLE);
    }

    @Test
    void aRootEntryThatIsNotPresent() {
      tables.rootEntry(DEVICE, ~1L, -1);
      machine.enabled();
      assertFault(IOVA, Access.READ, 1, AbortReason.BLOCKED);
    }

    @Test
    void aRootEntryWithAReservedBit() {
      tables.rootEntry(DEVICE, tables.page() | 1 | (1 << 4), 0);
      machine.enabled();
      assertFault(IOVA, Access.WRITE, 0xA, AbortReason.BAD_TABLE);
    }

    @Test
    void aContextTableOutsideOfMemory() {
      tables.rootEntry(DEVICE, (1L << 40) | 1, 0);
      machine.enabled();
      assertFault(IOVA, Access.WRITE, 9, AbortReason.BAD_TABLE);
    }

    @Test
    void aContextEntryThatIsNotPresent() {
      tables.contextEntry(DEVICE, ~3L, -1);
      machine.enabled();
      assertFault(IOVA, Access.WRITE, 2, AbortReason.BLOCKED);
    }

    @Test
    void aContextEntryWithAReservedBit() {
      tables.contextEntry(DEVICE, tables.page() | 1 | (1 << 4), WIDTH_48);
      machine.enabled();
      assertFault(IOVA, Access.WRITE, 0xB, AbortReason.BAD_TABLE);
    }

    @ParameterizedTest
    @ValueSource(longs = {TYPE_DEVICE_TLB, 3})
    void aTranslationTypeThatIsNotSupported(long type) {
      tables.context(DEVICE, type, tables.page(), WIDTH_48, DOMAIN);
      machine.enabled();
      assertFault(IOVA, Access.WRITE, 3, AbortReason.BAD_TABLE);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 3, 4, 5, 6, 7})
    void anAddressWidthThatIsNotSupported(long width) {
      tables.context(DEVICE, 0, tables.page(), width, DOMAIN);
      machine.enabled();
      assertFault(IOVA, Access.WRITE, 3, AbortReason.BAD_TABLE);
    }

    @Test
    void eachFunctionHasItsOwnEntry() {
      RequesterId other = RequesterId.of(0xC3, 0x1F, 7);
      long top = tables.translated(other, WIDTH_39, 0xFFFF);
      tables.map(top, 3, 1, 0x1000, DATA, READ_WRITE);
      machine.enabled();
      assertThat(machine.iommu.translate(machine.attach(other).endpoint(), 0x1000, Access.READ))
          .isEqualTo(new Translation.Page(0x1000, DATA, 12, true, true, 0xFFFF));
      assertFault(0x1000, Access.READ, 1, AbortReason.BLOCKED);
    }

    @Test
    void passThroughIsTheIdentityUnderItsDomain() {
      tables.context(DEVICE, TYPE_PASS_THROUGH, 0, WIDTH_48, DOMAIN);
      machine.enabled();
      assertThat(page(DATA + 5, Access.READ_WRITE))
          .isEqualTo(new Translation.Page(0, 0, 21, true, true, DOMAIN));
      assertThat(machine.device.fill(DATA, 4, (byte) 9)).isNull();
      assertThat(tables.load(DATA)).isEqualTo(0x0909_0909L);
    }
  }

  @Nested
  class FaultProcessingDisable {
    /// FPD keeps faults from the record that the context entry decides, also when it is not
    /// present.
    @Test
    void suppressesWhatTheContextEntryDecides() {
      long top = tables.translated(DEVICE, WIDTH_48, DOMAIN);
      tables.map(top, 4, 1, IOVA, DATA, READ);
      tables.map(top, 4, 1, IOVA + 0x1000, 0xFEE0_0000L, READ);
      tables.store(tables.entryAddress(top, 4, 1, IOVA + 0x2000), (1L << 50) | READ);
      tables.store(tables.entryAddress(top, 4, 2, 1L << 30), (1L << 40) | READ);
      long entry = tables.contextEntryAddress(DEVICE);
      long good = tables.load(entry) | 2;
      machine.enabled();

      tables.store(entry, 2);
      assertSuppressed(IOVA, Access.READ, 2);
      tables.store(entry, good | (1 << 4));
      assertSuppressed(IOVA, Access.READ, 0xB);
      tables.store(entry, good | (3 << 2));
      assertSuppressed(IOVA, Access.READ, 3);
      tables.store(entry, good);
      assertSuppressed(1L << 48, Access.READ, 4);
      assertSuppressed(IOVA, Access.WRITE, 5);
      assertSuppressed((1L << 30) + 0x20_0000, Access.READ, 6);
      assertSuppressed(1L << 30, Access.READ, 7);
      assertSuppressed(IOVA + 0x2000, Access.READ, 0xC);
      assertSuppressed(IOVA + 0x1000, Access.READ, 0xE);
    }

    private void assertSuppressed(long iova, Access access, int code) {
      Translation translation = translate(iova, access);
      assertThat(translation).isInstanceOf(Translation.Fault.class);
      assertThat(((Translation.Fault) translation).code()).isEqualTo(code);
      assertThat(((Translation.Fault) translation).recorded()).isFalse();
    }

    @Test
    void aSuppressedFaultStillStopsTheDeviceAndIsCounted() {
      tables.contextEntry(DEVICE, 2, 0);
      machine.enabled();
      TargetAbort abort = machine.device.fill(IOVA, 4, (byte) 1);
      assertThat(abort).isNotNull();
      assertThat(abort.faultCode()).isEqualTo(2);
      assertThat(machine.read32(VtdMachine.FSTS)).isZero();
      assertThat(machine.iommu.statistics().faults().suppressed()).isEqualTo(1);
    }
  }

  @Nested
  class TheInterruptRange {
    /// An access beside the range brings the page into the IOTLB, which answers before the unit.
    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void aLargePageAroundItLeavesTheMessagesMessages(int level) {
      long top = tables.translated(DEVICE, WIDTH_48, DOMAIN);
      long around = 0xFEE0_0000L & -(1L << (12 + 9 * (level - 1)));
      tables.map(top, 4, level, around, 0, READ_WRITE);
      machine.enabled();
      assertThat(page(0xFEF0_0000L, Access.READ).translate(0xFEF0_0000L))
          .isEqualTo(0xFEF0_0000L - around);
      assertThat(machine.device.store(0xFEE0_1000L, 4, ByteOrder.LITTLE_ENDIAN, 0x4021)).isNull();
      assertThat(machine.interrupts).containsExactly("fee01000:4021");
      assertThat(machine.events).isEmpty();
      assertThat(machine.device.load(0xFEE0_1000L, 4, ByteOrder.LITTLE_ENDIAN, new Word()))
          .isNotNull();
    }

    @ParameterizedTest
    @ValueSource(longs = {0xFEE0_0000L, 0xFEEF_FFFCL})
    void aWriteIsAMessageWhateverTheTablesSay(long address) {
      long top = tables.translated(DEVICE, WIDTH_48, DOMAIN);
      tables.map(top, 4, 1, address & -4096, DATA, READ_WRITE);
      machine.enabled();
      assertThat(machine.device.store(address, 4, ByteOrder.LITTLE_ENDIAN, 0x4021)).isNull();
      assertThat(machine.interrupts).containsExactly("%x:4021".formatted(address));
      assertThat(tables.load(DATA + (address & 4088))).isZero();
    }

    @ParameterizedTest
    @EnumSource(names = {"READ", "READ_WRITE"})
    void nothingElseIsPossibleThere(Access access) {
      long top = tables.translated(DEVICE, WIDTH_48, DOMAIN);
      tables.map(top, 4, 1, 0xFEE0_0000L, DATA, READ_WRITE);
      machine.enabled();
      assertThat(translate(0xFEE0_0000L, access))
          .isEqualTo(
              new Translation.Fault(AbortReason.INTERRUPT_RANGE, TargetAbort.NO_CODE, false));
    }

    @ParameterizedTest
    @ValueSource(longs = {0xFEDF_F000L, 0xFEF0_0000L, 0x1_FEE0_0000L})
    void itsNeighboursAreOrdinaryAddresses(long iova) {
      long top = tables.translated(DEVICE, WIDTH_48, DOMAIN);
      tables.map(top, 4, 1, iova, DATA, READ_WRITE);
      machine.enabled();
      assertThat(page(iova, Access.WRITE).address()).isEqualTo(DATA);
    }
  }

  /// What the unit may keep, it keeps until it is told to forget.
  @Nested
  class Caching {
    @Test
    void aTranslationStaysUntilItIsInvalidated() {
      long top = tables.translated(DEVICE, WIDTH_48, DOMAIN);
      tables.map(top, 4, 1, IOVA, DATA, READ_WRITE);
      machine.enabled();
      assertThat(machine.device.fill(IOVA, 4, (byte) 1)).isNull();
      tables.unmap(top, 4, 1, IOVA);
      assertThat(machine.device.fill(IOVA, 4, (byte) 2)).isNull();
      assertThat(tables.load(DATA)).isEqualTo(0x0202_0202L);
    }

    @Test
    void aContextEntryStaysUntilItIsInvalidated() {
      long top = tables.translated(DEVICE, WIDTH_48, DOMAIN);
      tables.map(top, 4, 1, IOVA, DATA, READ_WRITE);
      tables.map(top, 4, 1, IOVA + 4096, DATA + 4096, READ_WRITE);
      machine.enabled();
      assertThat(machine.device.fill(IOVA, 4, (byte) 1)).isNull();
      tables.contextEntry(DEVICE, 0, 0);
      // Another page: the IOTLB has not got it, the context-cache has the entry.
      assertThat(machine.device.fill(IOVA + 4096, 4, (byte) 1)).isNull();
    }

    @Test
    void whatWasNotThereIsLookedUpAgain() {
      machine.enabled();
      assertThat(machine.device.fill(IOVA, 4, (byte) 1)).isNotNull();
      long top = tables.translated(DEVICE, WIDTH_48, DOMAIN);
      assertThat(machine.device.fill(IOVA, 4, (byte) 1)).isNotNull();
      tables.map(top, 4, 1, IOVA, DATA, READ_WRITE);
      assertThat(machine.device.fill(IOVA, 4, (byte) 1)).isNull();
    }

    @Test
    void aMissWalksAndAHitDoesNot() {
      long top = tables.translated(DEVICE, WIDTH_48, DOMAIN);
      tables.map(top, 4, 1, IOVA, DATA, READ_WRITE);
      machine.enabled();
      for (int i = 0; i < 10; i++) {
        assertThat(machine.device.fill(IOVA + i, 1, (byte) 1)).isNull();
      }
      assertThat(machine.iommu.statistics().walks()).isEqualTo(1);
      assertThat(machine.device.endpoint().misses()).isEqualTo(1);
    }

    @Test
    void aMereCheckRecordsNoFault() {
      machine.enabled();
      assertThat(machine.device.check(IOVA, 4, Access.READ)).isNotNull();
      assertThat(machine.read32(VtdMachine.FSTS)).isZero();
    }
  }
}
