package dev.sluice.models.spapr;

import static dev.sluice.models.spapr.ReturnCode.HALTED;
import static dev.sluice.models.spapr.SpaprMachine.DEVICE;
import static dev.sluice.models.spapr.SpaprMachine.DYNAMIC_BASE;
import static dev.sluice.models.spapr.SpaprMachine.DYNAMIC_LIOBN;
import static dev.sluice.models.spapr.SpaprMachine.H_PUT_TCE;
import static dev.sluice.models.spapr.SpaprMachine.H_PUT_TCE_INDIRECT;
import static dev.sluice.models.spapr.SpaprMachine.H_STUFF_TCE;
import static dev.sluice.models.spapr.SpaprMachine.LIOBN;
import static dev.sluice.models.spapr.SpaprMachine.LIST;
import static dev.sluice.models.spapr.SpaprMachine.SUCCESS;
import static dev.sluice.models.spapr.SpaprMachine.UNIT_HIGH;
import static dev.sluice.models.spapr.SpaprMachine.UNIT_LOW;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.Mapping;
import dev.sluice.dma.MappingRevokedException;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.Access;
import dev.sluice.models.registers.ResetDrains;
import dev.sluice.models.spapr.SpaprMachine.Cpu;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What the guest may see of a hypercall while a device still holds what the call took away:
/// nothing. Its processor is halted, and no thread waits.
class DrainTest {
  private static final long A = 0x10_0000;
  private static final long B = 0x20_0000;
  private static final long PAGE_A = 0x40_0000;
  private static final long PAGE_B = 0x50_0000;

  private final SpaprMachine machine = new SpaprMachine();
  private final Cpu cpu = machine.cpu;
  private final Cpu other = machine.other;

  @BeforeEach
  void mapTwoPages() {
    assertThat(machine.put(A, PAGE_A | 3)).isEqualTo(SUCCESS);
    assertThat(machine.put(B, PAGE_B | 3)).isEqualTo(SUCCESS);
  }

  @AfterEach
  void giveMemoryBack() {
    machine.close();
  }

  private long drained() {
    return machine.iommu.statistics().calls().drained();
  }

  // --- the fast path

  @Test
  void aChangeOfAnEntryThatNothingHasUsedInvalidatesNothing() {
    assertThat(machine.put(A, 0)).isEqualTo(SUCCESS);
    assertThat(machine.put(A, PAGE_B | 1)).isEqualTo(SUCCESS);
    assertThat(machine.call(H_STUFF_TCE, LIOBN, A, 0, 16)).isEqualTo(SUCCESS);
    machine.list(PAGE_A | 3, PAGE_B | 3);
    assertThat(machine.call(H_PUT_TCE_INDIRECT, LIOBN, A, LIST, 2)).isEqualTo(SUCCESS);
    assertThat(machine.iommu.statistics().drains().drains()).isZero();
    assertThat(cpu.events()).isEmpty();
  }

  @Test
  void aMappingElsewhereDoesNotKeepAnUnusedEntryFromTheFastPath() {
    try (Mapping held = machine.mapping(B, 4096)) {
      assertThat(machine.put(A, 0)).isEqualTo(SUCCESS);
      assertThat(held.length()).isEqualTo(4096);
    }
    assertThat(drained()).isZero();
  }

  @Test
  void aRefusedAccessUsesNothing() {
    assertThat(machine.put(A, PAGE_A | 1)).isEqualTo(SUCCESS);
    assertThat(machine.write(A)).isNotNull();
    assertThat(machine.put(A, 0)).isEqualTo(SUCCESS);
    assertThat(drained()).isZero();
  }

  @Test
  void anEntryThatWasUsedIsInvalidatedAtOnceWhenNothingIsInFlight() {
    assertThat(machine.write(A)).isNull();
    assertThat(machine.put(A, 0)).isEqualTo(SUCCESS);
    assertThat(drained()).isEqualTo(1);
    assertThat(machine.write(A)).isNotNull();
    assertThat(machine.put(A, PAGE_B | 3)).isEqualTo(SUCCESS);
    assertThat(machine.write(A)).isNull();
    assertThat(machine.load(PAGE_B)).isEqualTo(0x1122_3344_5566_7788L);
    assertThat(drained()).isEqualTo(1);
    assertThat(cpu.events()).isEmpty();
  }

  @Test
  void theMarkIsGoneWithItsEntry() {
    assertThat(machine.write(A)).isNull();
    assertThat(machine.put(A, 0)).isEqualTo(SUCCESS);
    assertThat(machine.put(A, PAGE_A | 3)).isEqualTo(SUCCESS);
    assertThat(machine.put(A, 0)).isEqualTo(SUCCESS);
    assertThat(drained()).isEqualTo(1);
  }

  @Test
  void theSameEntryWrittenAgainIsAReplacementLikeAnyOther() {
    assertThat(machine.write(A)).isNull();
    assertThat(machine.put(A, PAGE_A | 3)).isEqualTo(SUCCESS);
    assertThat(drained()).isEqualTo(1);
    assertThat(machine.write(A)).isNull();
  }

  @Test
  void aCallForManyEntriesDrainsOnce() {
    machine.call(H_STUFF_TCE, LIOBN, A, PAGE_A | 3, 512);
    for (int i = 0; i < 512; i++) {
      assertThat(machine.write(A + i * 4096L)).isNull();
    }
    assertThat(machine.call(H_STUFF_TCE, LIOBN, A, 0, 512)).isEqualTo(SUCCESS);
    assertThat(machine.iommu.statistics().drains().drains()).isEqualTo(1);
    for (int i = 0; i < 512; i++) {
      assertThat(machine.write(A + i * 4096L)).isNotNull();
    }
  }

  // --- halted

  @Test
  void aProcessorIsHaltedWhileAMappingIsHeldAndResumedOnceItIsNot() {
    Mapping held = machine.mapping(A, 4096);
    assertThat(machine.put(A, 0)).isEqualTo(HALTED);
    assertThat(cpu.events()).containsExactly("halt");
    assertThat(machine.iommu.haltedProcessors()).isEqualTo(1);
    held.fill(0, 8, (byte) 0x77);
    assertThat(machine.load(PAGE_A)).isEqualTo(0x7777_7777_7777_7777L);

    held.close();
    assertThat(cpu.events()).containsExactly("halt", "resume 0");
    assertThat(machine.iommu.haltedProcessors()).isZero();
    assertThat(machine.iommu.statistics().calls().halted()).isEqualTo(1);
    held.close();
    assertThat(cpu.events()).hasSize(2);
  }

  @Test
  void newAccessesGoByTheNewEntryWhileTheOldOneIsDrained() {
    Mapping held = machine.mapping(A, 4096);
    assertThat(machine.put(A, PAGE_B | 3)).isEqualTo(HALTED);
    assertThat(machine.write(A)).isNull();
    assertThat(machine.load(PAGE_B)).isEqualTo(0x1122_3344_5566_7788L);
    Mapping later = machine.mapping(A, 4096);
    held.close();
    assertThat(cpu.events()).containsExactly("halt", "resume 0");
    later.close();
  }

  @Test
  void stuffAndIndirectWaitForAMappingOfAnyOfTheirPages() {
    Mapping held = machine.mapping(A, 4096);
    assertThat(machine.call(cpu, H_STUFF_TCE, LIOBN, A - 4096, 0, 3)).isEqualTo(HALTED);
    Mapping second = machine.mapping(B, 4096);
    machine.list(0, PAGE_A | 3, 0);
    assertThat(machine.call(other, H_PUT_TCE_INDIRECT, LIOBN, B - 4096, LIST, 3)).isEqualTo(HALTED);
    held.close();
    assertThat(cpu.events()).containsExactly("halt", "resume 0");
    assertThat(other.events()).containsExactly("halt");
    second.close();
    assertThat(other.events()).containsExactly("halt", "resume 0");
  }

  @Test
  void callsOverOtherPagesReturnAtOnceWhileAProcessorIsHalted() {
    Mapping held = machine.mapping(A, 4096);
    assertThat(machine.put(A, 0)).isEqualTo(HALTED);
    assertThat(machine.write(B)).isNull();
    assertThat(machine.call(other, H_PUT_TCE, LIOBN, B, 0)).isEqualTo(SUCCESS);
    assertThat(machine.call(other, H_STUFF_TCE, LIOBN, B, 0, 16)).isEqualTo(SUCCESS);
    assertThat(other.events()).isEmpty();
    held.close();
  }

  @Test
  void theSecondToClearAnEntryIsNotDoneBeforeTheFirst() {
    Mapping held = machine.mapping(A, 4096);
    assertThat(machine.call(cpu, H_PUT_TCE, LIOBN, A, 0)).isEqualTo(HALTED);
    assertThat(machine.call(other, H_PUT_TCE, LIOBN, A, 0)).isEqualTo(HALTED);
    Cpu third = new Cpu();
    assertThat(machine.call(third, H_STUFF_TCE, LIOBN, 0, 0, 1024)).isEqualTo(HALTED);
    held.close();
    for (Cpu one : List.of(cpu, other, third)) {
      assertThat(one.events()).containsExactly("halt", "resume 0");
    }
    assertThat(machine.call(other, H_PUT_TCE, LIOBN, A, PAGE_A | 3)).isEqualTo(SUCCESS);
    assertThat(machine.iommu.statistics().drains().drains()).isEqualTo(3);
  }

  @Test
  void overlappingCallsWaitEachForItsOwnMappings() {
    Mapping first = machine.mapping(A, 4096);
    Mapping second = machine.mapping(B, 4096);
    assertThat(machine.call(cpu, H_STUFF_TCE, LIOBN, A, 0, 512)).isEqualTo(HALTED);
    assertThat(machine.call(other, H_PUT_TCE, LIOBN, B, 0)).isEqualTo(HALTED);
    second.close();
    assertThat(other.events()).containsExactly("halt", "resume 0");
    assertThat(cpu.events()).containsExactly("halt");
    first.close();
    assertThat(cpu.events()).containsExactly("halt", "resume 0");
  }

  @Test
  void aDeviceThatNeverLetsGoIsRevokedAtItsDeadline() {
    machine.device.revocation(Revocation.immediately());
    Mapping held = machine.mapping(A, 4096);
    assertThat(machine.put(A, 0)).isEqualTo(SUCCESS);
    assertThatExceptionOfType(MappingRevokedException.class)
        .isThrownBy(() -> held.fill(0, 1, (byte) 1));
    assertThat(machine.load(PAGE_A)).isZero();
    held.close();
  }

  @Test
  void aHaltedProcessorMakesNoCalls() {
    try (Mapping held = machine.mapping(A, 4096)) {
      assertThat(machine.put(A, 0)).isEqualTo(HALTED);
      assertThat(held.length()).isEqualTo(4096);
      assertThatIllegalStateException().isThrownBy(() -> machine.put(A, 0));
    }
    assertThat(cpu.events()).containsExactly("halt", "resume 0");
  }

  // --- resets, removals, shutdown

  @Test
  void aProcessorThatWasResetWhileHaltedIsNotResumedAndMayCallAgain() {
    Mapping held = machine.mapping(A, 4096);
    assertThat(machine.put(A, 0)).isEqualTo(HALTED);
    machine.iommu.reset(cpu);
    assertThat(machine.iommu.haltedProcessors()).isZero();
    assertThat(machine.put(B, 0)).isEqualTo(SUCCESS);
    assertThat(machine.put(A, PAGE_B | 3)).isEqualTo(HALTED);
    held.close();
    assertThat(cpu.events()).containsExactly("halt", "halt", "resume 0");
    machine.iommu.reset(cpu);
  }

  @Test
  void aWindowThatIsRemovedWithAMappingLiveIsDrainedFirst() {
    machine.createWindow(16, 24);
    assertThat(machine.call(H_PUT_TCE, DYNAMIC_LIOBN, DYNAMIC_BASE, PAGE_A | 3)).isEqualTo(SUCCESS);
    Mapping held = machine.mapping(DYNAMIC_BASE + 0x2000, 4096);
    int[] status = {7};
    int[] liobn = {(int) DYNAMIC_LIOBN};
    assertThat(machine.iommu.rtas(cpu, RtasFunction.REMOVE_PE_DMA_WINDOW, liobn, status))
        .isEqualTo(HALTED);
    assertThat(status).containsExactly(7);
    assertThat(machine.write(DYNAMIC_BASE)).isNotNull();
    assertThat(machine.call(other, H_PUT_TCE, DYNAMIC_LIOBN, DYNAMIC_BASE, 0))
        .isEqualTo(ReturnCode.H_PARAMETER);
    assertThat(machine.call(other, H_PUT_TCE, LIOBN, B, 0)).isEqualTo(SUCCESS);
    held.close();
    assertThat(status).containsExactly(0);
    assertThat(cpu.events()).containsExactly("halt", "resume 0");
  }

  @Test
  void aWindowInThePlaceOfOneThatIsBeingDrainedWaitsForIt() {
    machine.createWindow(16, 24);
    machine.call(H_PUT_TCE, DYNAMIC_LIOBN, DYNAMIC_BASE, PAGE_A | 3);
    Mapping held = machine.mapping(DYNAMIC_BASE, 4096);
    int[] liobn = {(int) DYNAMIC_LIOBN};
    assertThat(machine.iommu.rtas(other, RtasFunction.REMOVE_PE_DMA_WINDOW, liobn, new int[1]))
        .isEqualTo(HALTED);
    machine.createWindow(16, 24);
    assertThat(machine.call(cpu, H_PUT_TCE, DYNAMIC_LIOBN, DYNAMIC_BASE, 0)).isEqualTo(HALTED);
    held.close();
    assertThat(cpu.events()).containsExactly("halt", "resume 0");
    assertThat(other.events()).containsExactly("halt", "resume 0");
  }

  @Test
  void aResetOfTheWindowsIsDrainedFirst() {
    Mapping held = machine.mapping(A, 4096);
    int[] unit = {0, UNIT_HIGH, UNIT_LOW};
    int[] status = {7};
    assertThat(machine.iommu.rtas(cpu, RtasFunction.RESET_PE_DMA_WINDOWS, unit, status))
        .isEqualTo(HALTED);
    held.close();
    assertThat(status).containsExactly(0);
    assertThat(machine.get(LIOBN, A)).isZero();
  }

  @Test
  void aRebootResumesNobodyAndSaysWhenTheOldGuestsAccessesAreOver() {
    Mapping held = machine.mapping(A, 4096);
    assertThat(machine.put(A, 0)).isEqualTo(HALTED);
    AtomicInteger drained = new AtomicInteger();
    machine.iommu.reset(drained::incrementAndGet);
    assertThat(machine.write(B)).isNotNull();
    assertThat(drained).hasValue(0);
    held.close();
    assertThat(drained).hasValue(1);
    assertThat(cpu.events()).containsExactly("halt");
    assertThat(machine.put(A, PAGE_A | 3)).isEqualTo(SUCCESS);
    assertThat(machine.write(A)).isNull();
  }

  @Test
  void anyNumberOfRebootsBehindOneMappingIsAFewDrainsAndEachIsToldOnce() {
    Mapping held = machine.mapping(A, 4096);
    AtomicInteger drained = new AtomicInteger();
    for (int i = 0; i < 100; i++) {
      machine.iommu.reset(drained::incrementAndGet);
    }
    assertThat(drained).hasValue(0);
    assertThat(machine.put(A, PAGE_A | 3)).as("the first one's are not over").isEqualTo(HALTED);
    held.close();
    assertThat(drained).hasValue(100);
    assertThat(machine.iommu.statistics().drains().delayed())
        .as("resets, and the call")
        .isEqualTo(ResetDrains.MAX_UNDER_WAY + 1);
    assertThat(machine.put(A, 0)).isEqualTo(SUCCESS);
    assertThat(drained()).as("no drain is under way for ever").isEqualTo(1);
  }

  @Test
  void afterShutdownEverythingIsRefusedAndNobodyIsResumed() {
    Mapping held = machine.mapping(A, 4096);
    assertThat(machine.put(A, 0)).isEqualTo(HALTED);
    AtomicInteger drained = new AtomicInteger();
    machine.iommu.close(drained::incrementAndGet);
    assertThat(machine.write(B)).isNotNull();
    assertThat(machine.call(other, H_PUT_TCE, LIOBN, B, 0)).isEqualTo(ReturnCode.H_PARAMETER);
    assertThat(drained).hasValue(0);
    held.close();
    assertThat(drained).hasValue(1);
    assertThat(cpu.events()).containsExactly("halt");
    assertThat(machine.iommu.statistics().tablePages()).isZero();
    assertThatIllegalStateException().isThrownBy(() -> machine.iommu.addHostBridge(1));
  }

  @Test
  void aFunctionThatIsDetachedIsDrained() {
    Mapping held = machine.mapping(A, 4096);
    AtomicInteger drained = new AtomicInteger();
    machine.iommu.detach(DEVICE, drained::incrementAndGet);
    assertThat(machine.write(B)).isNotNull();
    assertThat(drained).hasValue(0);
    held.close();
    assertThat(drained).hasValue(1);
  }

  // --- several requesters

  @Test
  void aCallWaitsForEveryFunctionBelowTheBridgeAndForNoneBelowAnother() {
    RequesterId beside = RequesterId.of(0, 6, 0);
    RequesterId elsewhere = RequesterId.of(1, 0, 0);
    machine.iommu.attach(beside, machine.bridge);
    machine.iommu.attach(elsewhere, machine.iommu.addHostBridge(1));
    DmaContext second = machine.context(beside);
    DmaContext third = machine.context(elsewhere);
    assertThat(machine.call(H_PUT_TCE, LIOBN | 0x100, A, PAGE_B | 3)).isEqualTo(SUCCESS);

    Mapping apart = (Mapping) third.map(A, 4096, Access.READ);
    Mapping held = (Mapping) second.map(A, 4096, Access.READ);
    assertThat(machine.put(A, 0)).isEqualTo(HALTED);
    held.close();
    assertThat(cpu.events()).containsExactly("halt", "resume 0");
    apart.close();
  }
}
