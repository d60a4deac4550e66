package dev.sluice.models.vtd;

import static dev.sluice.models.vtd.GuestTables.READ;
import static dev.sluice.models.vtd.GuestTables.READ_WRITE;
import static dev.sluice.models.vtd.GuestTables.WIDTH_39;
import static dev.sluice.models.vtd.GuestTables.WIDTH_48;
import static dev.sluice.models.vtd.VtdMachine.BIT_63;
import static dev.sluice.models.vtd.VtdMachine.CCMD;
import static dev.sluice.models.vtd.VtdMachine.DEVICE;
import static dev.sluice.models.vtd.VtdMachine.DOMAIN;
import static dev.sluice.models.vtd.VtdMachine.IOTLB;
import static dev.sluice.models.vtd.VtdMachine.IVA;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.TargetAbort;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import dev.sluice.memory.Word;
import java.nio.ByteOrder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Tables that the unit has met are kept until the guest says that they have changed: an
/// invalidation of pages with IH clear, of a domain, or of everything.
class PagingStructureCacheTest {
  private static final long REGION = 1L << 21;
  private static final long IOVA = 0x12_3460_0000L;

  /// A page under the same table, which no access has touched.
  private static final long FRESH = IOVA + 5 * 4096;

  private static final long OLD = 0x10_0000;
  private static final long NEW = 0x18_0000;
  private static final long HINT = 1 << 6;

  private final VtdMachine machine = new VtdMachine();
  private final GuestTables tables = machine.tables;
  private long top;

  /// How the guest has pages of its domain invalidated.
  enum How {
    QUEUE {
      @Override
      void prepare(VtdMachine machine) {
        machine.queued();
      }

      @Override
      void invalidate(VtdMachine machine, int domain, long operand) {
        machine.submit(0x32 | ((long) domain << 16), operand);
      }
    },
    REGISTER {
      @Override
      void prepare(VtdMachine machine) {}

      @Override
      void invalidate(VtdMachine machine, int domain, long operand) {
        machine.write64(IVA, operand);
        machine.write64(IOTLB, BIT_63 | (3L << 60) | ((long) domain << 32));
      }
    };

    abstract void prepare(VtdMachine machine);

    /// @param operand address, IH and AM
    abstract void invalidate(VtdMachine machine, int domain, long operand);
  }

  /// One table of [#OLD] pages, which the unit has met.
  @BeforeEach
  void meetATable() {
    top = tables.translated(DEVICE, WIDTH_48, DOMAIN);
    for (int i = 0; i < 8; i++) {
      tables.map(top, 4, 1, IOVA + i * 4096L, OLD + i * 4096L, READ_WRITE);
      tables.store(OLD + i * 4096L, OLD);
      tables.store(NEW + i * 4096L, NEW);
    }
    machine.enabled();
    assertThat(read(machine.device, IOVA)).isEqualTo(OLD);
  }

  @AfterEach
  void giveMemoryBack() {
    machine.close();
  }

  private static long read(DmaContext device, long iova) {
    Word word = new Word();
    assertThat(device.load(iova, 8, ByteOrder.LITTLE_ENDIAN, word)).isNull();
    return word.asLong();
  }

  /// Puts a table of [#NEW] pages into the place of the first.
  private void replaceTable() {
    long table = tables.page();
    for (int i = 0; i < 8; i++) {
      tables.store(table + i * 8L, NEW + i * 4096L + READ_WRITE);
    }
    tables.store(tables.entryAddress(top, 4, 2, IOVA), table + READ_WRITE);
  }

  private void assertGoesBy(long table) {
    assertThat(read(machine.device, FRESH)).isEqualTo(table);
  }

  @Test
  void aTableThatWasReplacedIsUsedUntilTheGuestSaysSo() {
    replaceTable();
    assertGoesBy(OLD);
  }

  @Test
  void entriesOfAKnownTableAreReadWhenTheyAreNeeded() {
    tables.map(top, 4, 1, FRESH, NEW, READ_WRITE);
    assertGoesBy(NEW);
  }

  @ParameterizedTest
  @EnumSource
  void pagesWithTheHintSetKeepTheTable(How how) {
    how.prepare(machine);
    replaceTable();
    how.invalidate(machine, DOMAIN, IOVA | HINT);
    assertThat(read(machine.device, IOVA)).isEqualTo(OLD);
    assertGoesBy(OLD);
  }

  @ParameterizedTest
  @EnumSource
  void pagesWithTheHintSetAreForgottenThemselves(How how) {
    how.prepare(machine);
    tables.map(top, 4, 1, IOVA, NEW, READ_WRITE);
    assertThat(read(machine.device, IOVA)).isEqualTo(OLD);
    how.invalidate(machine, DOMAIN, IOVA | HINT);
    assertThat(read(machine.device, IOVA)).isEqualTo(NEW);
  }

  @ParameterizedTest
  @EnumSource
  void anyPageOfTheTableWithTheHintClearForgetsIt(How how) {
    how.prepare(machine);
    replaceTable();
    how.invalidate(machine, DOMAIN, IOVA + REGION - 4096);
    assertGoesBy(NEW);
  }

  @ParameterizedTest
  @ValueSource(ints = {9, 10, 18})
  void aRunOfPagesForgetsItsTables(int addressMask) {
    machine.queued();
    replaceTable();
    How.QUEUE.invalidate(machine, DOMAIN, IOVA | addressMask);
    assertGoesBy(NEW);
  }

  @ParameterizedTest
  @EnumSource
  void pagesOfOtherTablesAndDomainsDoNot(How how) {
    how.prepare(machine);
    replaceTable();
    how.invalidate(machine, DOMAIN, IOVA + REGION);
    how.invalidate(machine, DOMAIN, IOVA - 4096);
    how.invalidate(machine, DOMAIN + 1, IOVA);
    assertGoesBy(OLD);
  }

  @ParameterizedTest
  @ValueSource(longs = {0x12, 0x22 | DOMAIN << 16})
  void everythingAndADomainForgetTables(long descriptor) {
    machine.queued();
    replaceTable();
    machine.submit(0x22 | (DOMAIN + 1) << 16, 0);
    assertGoesBy(OLD);
    machine.submit(descriptor, FRESH | HINT);
    assertGoesBy(NEW);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void contextCommandsKeepTables(long granularity) {
    replaceTable();
    machine.write64(CCMD, BIT_63 | (granularity << 61) | ((long) DEVICE.value() << 16) | DOMAIN);
    assertGoesBy(OLD);
  }

  @Test
  void switchingTranslationOffAndOnKeepsTables() {
    replaceTable();
    machine.command(0, VtdMachine.TE);
    machine.command(VtdMachine.SRTP, 0);
    machine.command(VtdMachine.TE, 0);
    assertGoesBy(OLD);
  }

  @Test
  void aResetForgetsTables() {
    replaceTable();
    machine.iommu.reset(() -> {});
    machine.enabled();
    assertGoesBy(NEW);
  }

  /// 6.2.1: the tag is the domain id, so 6.2.2.1 has requesters of a domain use the same tables.
  @Test
  void requestersOfADomainShareTables() {
    RequesterId other = RequesterId.of(0, 6, 0);
    tables.context(other, 0, tables.page(), WIDTH_48, DOMAIN);
    assertThat(read(machine.attach(other), FRESH)).isEqualTo(OLD);
    RequesterId stranger = RequesterId.of(0, 7, 0);
    tables.context(stranger, 0, tables.page(), WIDTH_48, DOMAIN + 1);
    assertThat(machine.attach(stranger).fill(FRESH, 4, (byte) 1)).isNotNull();
  }

  @Test
  void rightsOfAKnownTableAreThoseOfItsTime() {
    machine.queued();
    long directory = tables.entryAddress(top, 4, 2, IOVA);
    tables.store(directory, tables.load(directory) - READ_WRITE + READ);
    assertThat(machine.device.fill(FRESH, 4, (byte) 1)).isNull();
    How.QUEUE.invalidate(machine, DOMAIN, FRESH);
    TargetAbort refused = machine.device.fill(FRESH, 4, (byte) 1);
    assertThat(refused).isNotNull();
    assertThat(refused.faultCode()).isEqualTo(5);
    assertThat(read(machine.device, FRESH + 4096)).isEqualTo(OLD);
  }

  @Test
  void anAccessThatAKnownTableDoesNotAllowAsksTheTables() {
    machine.queued();
    long directory = tables.entryAddress(top, 4, 2, IOVA);
    tables.store(directory, tables.load(directory) - READ_WRITE + READ);
    How.QUEUE.invalidate(machine, DOMAIN, IOVA);
    assertThat(read(machine.device, IOVA)).isEqualTo(OLD);
    tables.store(directory, tables.load(directory) - READ + READ_WRITE);
    assertThat(machine.device.fill(FRESH, 4, (byte) 1)).isNull();
  }

  @Test
  void aPageThatAKnownTableDoesNotMapIsRefusedByIt() {
    machine.device.fill(IOVA + 8 * 4096, 4, (byte) 1);
    replaceTable();
    tables.map(top, 4, 1, IOVA + 8 * 4096, NEW, READ_WRITE);
    TargetAbort refused = machine.device.fill(IOVA + 8 * 4096, 4, (byte) 1);
    assertThat(refused).isNotNull();
    assertThat(refused.faultCode()).isEqualTo(5);
  }

  @Test
  void aTableWithoutAPageIsNotKept() {
    long iova = IOVA + REGION;
    tables.unmap(top, 4, 1, iova);
    assertThat(machine.device.fill(iova, 4, (byte) 1)).isNotNull();
    long table = tables.page();
    tables.store(table, NEW + READ_WRITE);
    tables.store(tables.entryAddress(top, 4, 2, iova), table + READ_WRITE);
    assertThat(read(machine.device, iova)).isEqualTo(NEW);
  }

  @Test
  void aKnownTableWhoseMemoryIsGoneIsUnreadable() {
    long far = 0x4000_0000L;
    machine.memory.addRam(far, RamRegion.allocate(4096));
    tables.store(far, NEW + READ_WRITE);
    tables.store(tables.entryAddress(top, 4, 2, IOVA + REGION), far + READ_WRITE);
    assertThat(read(machine.device, IOVA + REGION)).isEqualTo(NEW);
    machine.memory.remove(far, far + 4095, () -> {});
    TargetAbort refused = machine.device.fill(IOVA + REGION + 4096, 4, (byte) 1);
    assertThat(refused).isNotNull();
    assertThat(refused.faultCode()).isEqualTo(7);
    machine.memory.addRam(far, RamRegion.allocate(4096));
    tables.store(far + 8, NEW + READ_WRITE);
    assertThat(read(machine.device, IOVA + REGION + 4096)).isEqualTo(NEW);
    machine.memory.remove(far, far + 4095, () -> {});
  }

  @Test
  void tablesOfThreeLevelsAreKeptToo() {
    RequesterId other = RequesterId.of(0, 6, 0);
    long root = tables.translated(other, WIDTH_39, DOMAIN + 1);
    tables.map(root, 3, 1, 0x40_0000, OLD, READ_WRITE);
    tables.map(root, 3, 1, 0x40_1000, OLD, READ_WRITE);
    DmaContext device = machine.attach(other);
    assertThat(read(device, 0x40_0000)).isEqualTo(OLD);
    tables.store(tables.entryAddress(root, 3, 2, 0x40_0000), 0);
    assertThat(read(device, 0x40_1000)).isEqualTo(OLD);
    assertThat(device.fill(0x40_1000 | 1L << 39, 4, (byte) 1)).isNotNull();
    assertThat(device.fill(0x40_1000 | 1L << 48, 4, (byte) 1)).isNotNull();
  }

  /// The interrupt range begins and ends within a table's 2 MiB; the rest of those is memory.
  @Test
  void theTableAroundTheInterruptRangeLeadsToNoInterrupt() {
    long beside = 0xFEF0_0000L;
    tables.map(top, 4, 1, beside, OLD, READ_WRITE);
    tables.map(top, 4, 1, beside - 4096, OLD, READ_WRITE);
    assertThat(read(machine.device, beside)).isEqualTo(OLD);
    Word word = new Word();
    assertThat(machine.device.load(beside - 4096, 8, ByteOrder.LITTLE_ENDIAN, word)).isNotNull();
  }

  @Test
  void aLeafOfAKnownTableMayNotLeadToTheInterruptRange() {
    tables.map(top, 4, 1, FRESH, 0xFEE0_0000L, READ_WRITE);
    machine.memory.addRam(0xFEE0_0000L, RamRegion.allocate(GuestMemory.PAGE));
    TargetAbort refused = machine.device.fill(FRESH, 4, (byte) 1);
    assertThat(refused).isNotNull();
    assertThat(refused.faultCode()).isEqualTo(0xE);
    machine.memory.remove(0xFEE0_0000L, 0xFEE0_0FFFL, () -> {});
  }

  /// What Linux does: a table is freed after pages are unmapped whose invalidation has IH clear,
  /// and pages are mapped again without an invalidation.
  @Test
  void aTableThatWasFreedAfterAnInvalidationIsNotReadAgain() {
    machine.queued();
    long directory = tables.entryAddress(top, 4, 2, IOVA);
    long freed = tables.load(directory) - READ_WRITE;
    tables.store(directory, 0);
    How.QUEUE.invalidate(machine, DOMAIN, IOVA | 9);
    for (int i = 0; i < 512; i++) {
      tables.store(freed + i * 8L, 0x70_0000 + READ_WRITE);
    }
    assertThat(machine.device.fill(FRESH, 4, (byte) 1)).isNotNull();
    tables.map(top, 4, 1, FRESH, NEW, READ_WRITE);
    assertGoesBy(NEW);
  }
}
