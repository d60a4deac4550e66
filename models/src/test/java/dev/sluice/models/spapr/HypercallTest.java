package dev.sluice.models.spapr;

import static dev.sluice.models.spapr.SpaprMachine.DYNAMIC_BASE;
import static dev.sluice.models.spapr.SpaprMachine.DYNAMIC_LIOBN;
import static dev.sluice.models.spapr.SpaprMachine.FUNCTION;
import static dev.sluice.models.spapr.SpaprMachine.HARDWARE;
import static dev.sluice.models.spapr.SpaprMachine.H_GET_TCE;
import static dev.sluice.models.spapr.SpaprMachine.H_PUT_TCE;
import static dev.sluice.models.spapr.SpaprMachine.H_PUT_TCE_INDIRECT;
import static dev.sluice.models.spapr.SpaprMachine.H_STUFF_TCE;
import static dev.sluice.models.spapr.SpaprMachine.LIOBN;
import static dev.sluice.models.spapr.SpaprMachine.LIST;
import static dev.sluice.models.spapr.SpaprMachine.MEMORY_BYTES;
import static dev.sluice.models.spapr.SpaprMachine.NOT_ENOUGH_RESOURCES;
import static dev.sluice.models.spapr.SpaprMachine.P4;
import static dev.sluice.models.spapr.SpaprMachine.PARAMETER;
import static dev.sluice.models.spapr.SpaprMachine.PARTIAL;
import static dev.sluice.models.spapr.SpaprMachine.SUCCESS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.MessagePort;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The return code of every good and bad call, and what a call that was refused has changed:
/// nothing.
class HypercallTest {
  private static final long IOBA = 0x20_0000;
  private static final long PAGE = 0x40_0000;
  private static final long RW = PAGE | 3;

  /// Of the default window, 1 GiB.
  private static final long WINDOW = 0x4000_0000L;

  private static final long OUTSIDE_MEMORY = MEMORY_BYTES;

  private SpaprMachine machine = new SpaprMachine();

  @AfterEach
  void giveMemoryBack() {
    machine.close();
  }

  private void machineWith(SpaprConfig config) {
    machine.close();
    machine = new SpaprMachine(config);
  }

  // --- what all have in common

  @Test
  void anUnknownHypercallIsNoFunction() {
    assertThat(machine.call(0x1234, LIOBN, IOBA, RW)).isEqualTo(FUNCTION);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 0x8000_0001L, 0x8000_0100L, 0x1_8000_0000L, Long.MAX_VALUE, -1})
  void aLiobnThatThePartitionHasNotIsAParameterError(long liobn) {
    assertThat(machine.call(H_GET_TCE, liobn, IOBA)).isEqualTo(PARAMETER);
    assertThat(machine.call(H_PUT_TCE, liobn, IOBA, RW)).isEqualTo(PARAMETER);
    assertThat(machine.call(H_STUFF_TCE, liobn, IOBA, RW, 1)).isEqualTo(PARAMETER);
    if (liobn >= 0) {
      assertThat(machine.call(H_PUT_TCE_INDIRECT, liobn, IOBA, LIST, 1)).isEqualTo(PARAMETER);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {WINDOW, WINDOW + 0x1000, DYNAMIC_BASE, Long.MIN_VALUE, -4096})
  void aBusAddressOutsideOfTheWindowIsAParameterError(long ioba) {
    assertThat(machine.call(H_GET_TCE, LIOBN, ioba)).isEqualTo(PARAMETER);
    assertThat(machine.put(ioba, RW)).isEqualTo(PARAMETER);
    assertThat(machine.call(H_STUFF_TCE, LIOBN, ioba, RW, 0)).isEqualTo(PARAMETER);
    assertThat(machine.call(H_PUT_TCE_INDIRECT, LIOBN, ioba, LIST, 0)).isEqualTo(PARAMETER);
  }

  @Test
  void aBusAddressWithinAPageIsAParameterError() {
    assertThat(machine.call(H_GET_TCE, LIOBN, IOBA + 8)).isEqualTo(PARAMETER);
    assertThat(machine.put(IOBA + 1, RW)).isEqualTo(PARAMETER);
    assertThat(machine.call(H_STUFF_TCE, LIOBN, IOBA + 0x800, RW, 1)).isEqualTo(PARAMETER);
    assertThat(machine.call(H_PUT_TCE_INDIRECT, LIOBN, IOBA + 8, LIST, 1)).isEqualTo(PARAMETER);
    machine.createWindow(16, 24);
    assertThat(machine.call(H_PUT_TCE, DYNAMIC_LIOBN, DYNAMIC_BASE + 0x1000, RW))
        .isEqualTo(PARAMETER);
    assertThat(machine.get(LIOBN, IOBA)).isZero();
  }

  @Test
  void anEntryBeyondThePartitionsMemoryIsAParameterErrorUnlessItMapsNothing() {
    for (long rights = 1; rights <= 3; rights++) {
      assertThat(machine.put(IOBA, OUTSIDE_MEMORY | rights)).isEqualTo(PARAMETER);
      assertThat(machine.call(H_STUFF_TCE, LIOBN, IOBA, OUTSIDE_MEMORY | rights, 4))
          .isEqualTo(PARAMETER);
    }
    assertThat(machine.get(LIOBN, IOBA)).isZero();
    assertThat(machine.put(IOBA, OUTSIDE_MEMORY)).isEqualTo(SUCCESS);
    assertThat(machine.get(LIOBN, IOBA)).isEqualTo(OUTSIDE_MEMORY);
  }

  @ParameterizedTest
  @ValueSource(longs = {PAGE | 0x7, PAGE | 0x801, Long.MIN_VALUE | RW})
  void aReservedBitInAnEntryThatMapsAPageIsAParameterError(long tce) {
    assertThat(machine.put(IOBA, tce)).isEqualTo(PARAMETER);
    assertThat(machine.get(LIOBN, IOBA)).isZero();
  }

  @Test
  void aPageThatIsNotAlignedToTheWindowsPagesIsAParameterError() {
    machine.createWindow(16, 24);
    assertThat(machine.call(H_PUT_TCE, DYNAMIC_LIOBN, DYNAMIC_BASE, 0x41_1003))
        .isEqualTo(PARAMETER);
    assertThat(machine.call(H_PUT_TCE, DYNAMIC_LIOBN, DYNAMIC_BASE, 0x41_0003)).isEqualTo(SUCCESS);
  }

  @ParameterizedTest
  @ValueSource(longs = {-4, 0x7FFF_FFFF_FFFF_FFFCL, Long.MIN_VALUE, 4})
  void anEntryThatMapsNothingMayBeAnythingAndIsReadBackAsItIs(long poison) {
    assertThat(machine.put(IOBA, poison)).isEqualTo(SUCCESS);
    assertThat(machine.get(LIOBN, IOBA)).isEqualTo(poison);
    assertThat(machine.read(IOBA)).isNotNull();
    assertThat(machine.get(LIOBN, IOBA)).isEqualTo(poison);
  }

  // --- H_GET_TCE

  @Test
  void anEntryIsReadBackAsItWasWrittenUsedOrNot() {
    assertThat(machine.put(IOBA, RW)).isEqualTo(SUCCESS);
    assertThat(machine.get(LIOBN, IOBA)).isEqualTo(RW);
    assertThat(machine.write(IOBA)).isNull();
    assertThat(machine.get(LIOBN, IOBA)).isEqualTo(RW);
    assertThat(machine.get(LIOBN, IOBA + 0x1000)).isZero();
    assertThat(machine.get(LIOBN, WINDOW - 0x1000)).isZero();
  }

  @Test
  void anEntryToAPageThatIsNoLongerThePartitionsIsReadInPart() {
    assertThat(machine.put(IOBA, PAGE | 1)).isEqualTo(SUCCESS);
    machine.memory.remove(0, MEMORY_BYTES - 1, () -> {});
    long[] registers = {LIOBN, IOBA, 0, 0};
    assertThat(machine.iommu.hypercall(machine.cpu, H_GET_TCE, registers)).isEqualTo(PARTIAL);
    assertThat(registers[0]).isEqualTo(0xFFFF_FFFF_FFFF_F001L);
  }

  // --- H_STUFF_TCE

  @Test
  void stuffWritesOneEntryToEachPageOfTheRangeAndToNoOther() {
    assertThat(machine.call(H_STUFF_TCE, LIOBN, IOBA, RW, 600)).isEqualTo(SUCCESS);
    assertThat(machine.get(LIOBN, IOBA - 0x1000)).isZero();
    for (int i = 0; i < 600; i++) {
      assertThat(machine.get(LIOBN, IOBA + i * 0x1000L)).isEqualTo(RW);
    }
    assertThat(machine.get(LIOBN, IOBA + 600 * 0x1000L)).isZero();
    assertThat(machine.call(H_STUFF_TCE, LIOBN, IOBA + 0x1000, 0, 598)).isEqualTo(SUCCESS);
    assertThat(machine.get(LIOBN, IOBA)).isEqualTo(RW);
    assertThat(machine.get(LIOBN, IOBA + 0x1000)).isZero();
    assertThat(machine.get(LIOBN, IOBA + 598 * 0x1000L)).isZero();
    assertThat(machine.get(LIOBN, IOBA + 599 * 0x1000L)).isEqualTo(RW);
  }

  @Test
  void stuffTakesTheWholeTableAndNotAnEntryMore() {
    long entries = WINDOW >>> 12;
    assertThat(machine.call(H_STUFF_TCE, LIOBN, 0, 0, entries)).isEqualTo(SUCCESS);
    assertThat(machine.call(H_STUFF_TCE, LIOBN, 0, 0, entries + 1)).isEqualTo(PARAMETER);
    assertThat(machine.call(H_STUFF_TCE, LIOBN, 0x1000, 0, entries)).isEqualTo(PARAMETER);
    assertThat(machine.call(H_STUFF_TCE, LIOBN, 0x1000, 0, entries - 1)).isEqualTo(SUCCESS);
    assertThat(machine.call(H_STUFF_TCE, LIOBN, 0, 0, -1)).isEqualTo(PARAMETER);
    assertThat(machine.call(H_STUFF_TCE, LIOBN, 0, 0, Long.MIN_VALUE)).isEqualTo(PARAMETER);
  }

  @Test
  void stuffOfMoreThan512IsAnErrorOfTheFourthParameterWhereThatIsEnforced() {
    machineWith(SpaprConfig.DEFAULT.withStuffLimit(true));
    assertThat(machine.call(H_STUFF_TCE, LIOBN, IOBA, RW, 512)).isEqualTo(SUCCESS);
    assertThat(machine.call(H_STUFF_TCE, LIOBN, IOBA, 0, 513)).isEqualTo(P4);
    assertThat(machine.call(H_STUFF_TCE, LIOBN, IOBA, 0, -1)).isEqualTo(P4);
    assertThat(machine.call(H_STUFF_TCE, LIOBN, WINDOW, 0, 513)).isEqualTo(PARAMETER);
    assertThat(machine.get(LIOBN, IOBA)).isEqualTo(RW);
  }

  @Test
  void aCountOfZeroDoesNothingAndSucceeds() {
    assertThat(machine.call(H_STUFF_TCE, LIOBN, IOBA, RW, 0)).isEqualTo(SUCCESS);
    assertThat(machine.call(H_PUT_TCE_INDIRECT, LIOBN, IOBA, LIST, 0)).isEqualTo(SUCCESS);
    assertThat(machine.get(LIOBN, IOBA)).isZero();
  }

  // --- H_PUT_TCE_INDIRECT

  @Test
  void aListIsBigEndianAndEntersAsManyEntriesAsTheCountSays() {
    machine.list(RW, PAGE + 0x1000 | 1, 0, PAGE + 0x3000 | 2, RW);
    assertThat(machine.call(H_PUT_TCE_INDIRECT, LIOBN, IOBA, LIST, 4)).isEqualTo(SUCCESS);
    assertThat(machine.get(LIOBN, IOBA)).isEqualTo(RW);
    assertThat(machine.get(LIOBN, IOBA + 0x1000)).isEqualTo(PAGE + 0x1000 | 1);
    assertThat(machine.get(LIOBN, IOBA + 0x2000)).isZero();
    assertThat(machine.get(LIOBN, IOBA + 0x3000)).isEqualTo(PAGE + 0x3000 | 2);
    assertThat(machine.get(LIOBN, IOBA + 0x4000)).isZero();
  }

  @Test
  void aListHas512EntriesAtMost() {
    long[] entries = new long[512];
    for (int i = 0; i < entries.length; i++) {
      entries[i] = PAGE + i * 0x1000L | 3;
    }
    machine.list(entries);
    assertThat(machine.call(H_PUT_TCE_INDIRECT, LIOBN, IOBA, LIST, 512)).isEqualTo(SUCCESS);
    assertThat(machine.get(LIOBN, IOBA + 511 * 0x1000L)).isEqualTo(entries[511]);
    assertThat(machine.call(H_PUT_TCE_INDIRECT, LIOBN, IOBA, LIST, 513)).isEqualTo(PARAMETER);
    assertThat(machine.call(H_PUT_TCE_INDIRECT, LIOBN, IOBA, LIST, -1)).isEqualTo(PARAMETER);
  }

  @Test
  void aListThatReachesBeyondTheWindowIsAParameterErrorAndEntersNothing() {
    machine.list(RW, RW, RW);
    long last = WINDOW - 0x2000;
    assertThat(machine.call(H_PUT_TCE_INDIRECT, LIOBN, last, LIST, 3)).isEqualTo(PARAMETER);
    assertThat(machine.get(LIOBN, last)).isZero();
    assertThat(machine.call(H_PUT_TCE_INDIRECT, LIOBN, last, LIST, 2)).isEqualTo(SUCCESS);
  }

  @ParameterizedTest
  @ValueSource(longs = {LIST + 8, LIST + 1, MEMORY_BYTES, -4096, 0x7FFF_FFFF_FFFF_F000L})
  void aListThatIsNotAPageOfThePartitionIsAParameterError(long list) {
    machine.list(RW, RW);
    assertThat(machine.call(H_PUT_TCE_INDIRECT, LIOBN, IOBA, list, 1)).isEqualTo(PARAMETER);
    assertThat(machine.get(LIOBN, IOBA)).isZero();
  }

  @Test
  void aListThatOnlyMessagesReachIsAnErrorAndNothingWaitsForIt() {
    machine.memory.addMessageOnly(
        MEMORY_BYTES,
        0x1000,
        true,
        new MessagePort() {
          @Override
          public MemoryStatus read(long address, MemorySegment into, long offset, long length) {
            throw new AssertionError("the hypercall waited for a message");
          }

          @Override
          public MemoryStatus write(long address, MemorySegment from, long offset, long length) {
            throw new AssertionError("the hypercall waited for a message");
          }
        });
    assertThat(machine.call(H_PUT_TCE_INDIRECT, LIOBN, IOBA, MEMORY_BYTES, 1)).isEqualTo(HARDWARE);
    assertThat(machine.get(LIOBN, IOBA)).isZero();
  }

  @Test
  void aListWithABadEntryEntersNothing() {
    machine.list(RW, RW, OUTSIDE_MEMORY | 1, RW);
    assertThat(machine.call(H_PUT_TCE_INDIRECT, LIOBN, IOBA, LIST, 4)).isEqualTo(PARAMETER);
    for (int i = 0; i < 4; i++) {
      assertThat(machine.get(LIOBN, IOBA + i * 0x1000L)).isZero();
    }
    machine.list(RW, RW, OUTSIDE_MEMORY, RW);
    assertThat(machine.call(H_PUT_TCE_INDIRECT, LIOBN, IOBA, LIST, 4)).isEqualTo(SUCCESS);
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, -128, -129, Long.MIN_VALUE})
  void severalTablesInOneCallAreNotOffered(long liobn) {
    assertThat(machine.call(H_PUT_TCE_INDIRECT, liobn, IOBA, LIST, 1)).isEqualTo(FUNCTION);
  }

  // --- limits

  @Test
  void tablesTakeNoMoreMemoryThanTheyMayAndWhatTheyHaveStays() {
    // A directory and two pages of 512 entries.
    machineWith(SpaprConfig.DEFAULT.withTablePages(6));
    assertThat(machine.put(0, RW)).isEqualTo(SUCCESS);
    assertThat(machine.put(512 * 0x1000, RW)).isEqualTo(SUCCESS);
    assertThat(machine.put(1024 * 0x1000, RW)).isEqualTo(NOT_ENOUGH_RESOURCES);
    assertThat(machine.call(H_STUFF_TCE, LIOBN, 0x1000, RW, 1024)).isEqualTo(NOT_ENOUGH_RESOURCES);
    machine.list(RW, RW);
    assertThat(machine.call(H_PUT_TCE_INDIRECT, LIOBN, 1023 * 0x1000, LIST, 2))
        .isEqualTo(NOT_ENOUGH_RESOURCES);
    assertThat(machine.get(LIOBN, 0x1000)).isZero();
    assertThat(machine.get(LIOBN, 1023 * 0x1000)).isZero();
    assertThat(machine.put(1024 * 0x1000, 0)).isEqualTo(SUCCESS);
    assertThat(machine.call(H_STUFF_TCE, LIOBN, 0, 0, WINDOW >>> 12)).isEqualTo(SUCCESS);
    assertThat(machine.iommu.statistics().tablePages()).isEqualTo(6);
  }

  @Test
  void aCallThatNeedsMoreThanThereIsTakesNothing() {
    // A directory and eight pages.
    machineWith(SpaprConfig.DEFAULT.withTablePages(12));
    assertThat(machine.call(H_STUFF_TCE, LIOBN, 0, RW, 9 * 512)).isEqualTo(NOT_ENOUGH_RESOURCES);
    assertThat(machine.call(H_STUFF_TCE, LIOBN, 0, RW, WINDOW >>> 12))
        .isEqualTo(NOT_ENOUGH_RESOURCES);
    assertThat(machine.iommu.statistics().tablePages()).isZero();
    assertThat(machine.call(H_STUFF_TCE, LIOBN, 0, RW, 8 * 512)).isEqualTo(SUCCESS);
    assertThat(machine.iommu.statistics().tablePages()).isEqualTo(12);
  }

  @Test
  void theCallsAreCounted() {
    machine.put(IOBA, RW);
    machine.put(WINDOW, RW);
    machine.call(H_STUFF_TCE, LIOBN, IOBA, 0, 2);
    machine.call(H_PUT_TCE_INDIRECT, LIOBN, IOBA, LIST, 2);
    machine.get(LIOBN, IOBA);
    assertThat(machine.iommu.statistics().calls())
        .isEqualTo(new SpaprStatistics.Calls(1, 2, 1, 1, 0, 1, 0, 0));
  }

  @Test
  void aCallWithoutItsRegistersIsMisuse() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> machine.iommu.hypercall(machine.cpu, H_PUT_TCE, new long[3]));
  }
}
