package dev.sluice.models.spapr;

import static dev.sluice.models.spapr.SpaprMachine.DEVICE;
import static dev.sluice.models.spapr.SpaprMachine.DYNAMIC_BASE;
import static dev.sluice.models.spapr.SpaprMachine.DYNAMIC_LIOBN;
import static dev.sluice.models.spapr.SpaprMachine.H_PUT_TCE;
import static dev.sluice.models.spapr.SpaprMachine.H_STUFF_TCE;
import static dev.sluice.models.spapr.SpaprMachine.LIOBN;
import static dev.sluice.models.spapr.SpaprMachine.SUCCESS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.Mapping;
import dev.sluice.dma.TargetAbort;
import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;
import dev.sluice.memory.Word;
import java.nio.ByteOrder;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Where a device's accesses go: by requester, window, entry and kind of access.
class TranslationTest {
  private static final long A = 0x10_0000;
  private static final long PAGE = 0x40_0000;
  private static final RequesterId VIO = RequesterId.of(0xFF, 0, 0);

  private SpaprMachine machine = new SpaprMachine();

  @AfterEach
  void giveMemoryBack() {
    machine.close();
  }

  private static void assertRefused(@Nullable TargetAbort abort, AbortReason reason) {
    assertThat(abort).isNotNull();
    assertThat(abort.reason()).isEqualTo(reason);
    assertThat(abort.bytesMoved()).isZero();
  }

  @Test
  void anAccessGoesToThePageOfItsEntryAtTheSameOffset() {
    machine.put(A, PAGE | 3);
    assertThat(machine.write(A + 0x528)).isNull();
    assertThat(machine.load(PAGE + 0x528)).isEqualTo(0x1122_3344_5566_7788L);
    assertThat(machine.read(A + 0x528)).isNull();
  }

  @Test
  void theTwoBitsOfAnEntryAllowReadsAndWrites() {
    machine.put(A, PAGE | 1);
    assertThat(machine.read(A)).isNull();
    assertRefused(machine.write(A), AbortReason.NO_WRITE);
    machine.put(A, PAGE | 2);
    assertThat(machine.write(A)).isNull();
    assertRefused(machine.read(A), AbortReason.NO_READ);
    TargetAbort both = machine.device.fetchAndAdd(A, 8, ByteOrder.BIG_ENDIAN, 1, new Word());
    assertRefused(both, AbortReason.NO_READ);
    machine.put(A, PAGE);
    assertRefused(machine.read(A), AbortReason.NOT_MAPPED);
    assertThat(machine.iommu.faults())
        .containsExactly(
            new TceFault(DEVICE, A, Access.WRITE, TceFault.Cause.READ_ONLY),
            new TceFault(DEVICE, A, Access.READ, TceFault.Cause.WRITE_ONLY),
            new TceFault(DEVICE, A, Access.READ_WRITE, TceFault.Cause.WRITE_ONLY),
            new TceFault(DEVICE, A, Access.READ, TceFault.Cause.PAGE_FAULT));
    assertThat(machine.iommu.statistics().faults()).isEqualTo(4);
  }

  @ParameterizedTest
  @ValueSource(longs = {0x4000_0000L, 0x8000_0000_0000_0000L, DYNAMIC_BASE, -8})
  void whatLiesInNoWindowIsRefused(long ioba) {
    TargetAbort abort = machine.read(ioba);
    assertRefused(abort, AbortReason.NOT_MAPPED);
    assertThat(machine.iommu.faults())
        .containsExactly(new TceFault(DEVICE, ioba, Access.READ, TceFault.Cause.EXTENT));
  }

  @Test
  void aCheckIsNoFault() {
    assertThat(machine.device.check(A, 8, Access.READ)).isNotNull();
    assertThat(machine.iommu.faults()).isEmpty();
  }

  @Test
  void theNewestFaultsAreKept() {
    for (int i = 0; i < 100; i++) {
      assertThat(machine.read(A + i * 8L)).isNotNull();
    }
    assertThat(machine.iommu.faults()).hasSize(64);
    assertThat(machine.iommu.faults().getFirst().ioba()).isEqualTo(A + 36 * 8);
    assertThat(machine.iommu.statistics().faults()).isEqualTo(100);
  }

  @Test
  void aRequesterBelowNoBridgeIsRefused() {
    DmaContext stranger = machine.context(RequesterId.of(3, 0, 0));
    machine.put(A, PAGE | 3);
    TargetAbort abort = stranger.load(A, 8, ByteOrder.BIG_ENDIAN, new Word());
    assertRefused(abort, AbortReason.BLOCKED);
    assertThat(abort)
        .extracting(TargetAbort::faultCode)
        .isEqualTo(TceFault.Cause.NO_ENDPOINT.code());
  }

  @Test
  void aRequestWithAPasidIsNobodys() {
    machine.put(A, PAGE | 3);
    DmaContext process = DmaContext.behind(machine.iommu, machine.memory, DEVICE, 7);
    assertRefused(process.load(A, 8, ByteOrder.BIG_ENDIAN, new Word()), AbortReason.BLOCKED);
  }

  @Test
  void bridgesDoNotShareTables() {
    PartitionableEndpoint second = machine.iommu.addHostBridge(1);
    RequesterId requester = RequesterId.of(1, 0, 0);
    machine.iommu.attach(requester, second);
    DmaContext device = machine.context(requester);
    machine.put(A, PAGE | 3);
    assertThat(machine.write(A)).isNull();
    assertRefused(device.load(A, 8, ByteOrder.BIG_ENDIAN, new Word()), AbortReason.NOT_MAPPED);
    machine.call(H_PUT_TCE, LIOBN | 0x100, A, PAGE + 0x1000 | 3);
    assertThat(device.store(A, 8, ByteOrder.BIG_ENDIAN, 5)).isNull();
    assertThat(machine.load(PAGE + 0x1000)).isEqualTo(5);
    assertThat(second.unitId()).isEqualTo(0x0800_0000_2000_0001L);
  }

  @Test
  void contiguousPagesAreOneMapping() {
    machine.put(A, PAGE | 3);
    machine.put(A + 0x1000, PAGE + 0x1000 | 3);
    machine.put(A + 0x2000, PAGE + 0x8000 | 3);
    try (Mapping mapping = machine.mapping(A + 0x800, 0x2000)) {
      assertThat(mapping.length()).isEqualTo(0x1800);
    }
  }

  // --- windows

  @ParameterizedTest
  @ValueSource(ints = {12, 16, 21, 24})
  void aDynamicWindowHasPagesOfItsSize(int shift) {
    machine.createWindow(shift, shift + 4);
    long page = 0x100_0000;
    assertThat(machine.call(H_PUT_TCE, DYNAMIC_LIOBN, DYNAMIC_BASE + (3L << shift), page | 3))
        .isEqualTo(SUCCESS);
    long last = DYNAMIC_BASE + (4L << shift) - 8;
    assertThat(machine.write(last)).isNull();
    assertThat(machine.load(page + (1L << shift) - 8)).isEqualTo(0x1122_3344_5566_7788L);
    assertRefused(machine.write(last + 8), AbortReason.NOT_MAPPED);
    assertRefused(machine.write(DYNAMIC_BASE + (16L << shift)), AbortReason.NOT_MAPPED);
    assertRefused(machine.write(DYNAMIC_BASE - 8), AbortReason.NOT_MAPPED);
    assertRefused(machine.write(3L << shift), AbortReason.NOT_MAPPED);
  }

  @Test
  void aLargePageOnlyPartlyInMemoryGivesWhatIsThere() {
    machine.close();
    machine = new SpaprMachine(SpaprConfig.DEFAULT.withIoPageShifts(Set.of(28)));
    machine.createWindow(28, 30);
    assertThat(machine.call(H_PUT_TCE, DYNAMIC_LIOBN, DYNAMIC_BASE, 3)).isEqualTo(SUCCESS);
    assertThat(machine.write(DYNAMIC_BASE + PAGE)).isNull();
    assertThat(machine.load(PAGE)).isEqualTo(0x1122_3344_5566_7788L);
    assertRefused(machine.write(DYNAMIC_BASE + SpaprMachine.MEMORY_BYTES), AbortReason.NO_MEMORY);
  }

  @Test
  void bothWindowsOfABridgeAreCachedAtOnce() {
    machine.createWindow(16, 24);
    machine.put(A, PAGE | 3);
    machine.call(H_PUT_TCE, DYNAMIC_LIOBN, DYNAMIC_BASE, PAGE | 3);
    for (int i = 0; i < 10; i++) {
      assertThat(machine.write(A)).isNull();
      assertThat(machine.write(DYNAMIC_BASE)).isNull();
    }
    assertThat(machine.iommu.statistics().walks()).isEqualTo(2);
  }

  @Test
  void anEntryThatMapsNothingIsNotCachedSoThatSettingItNeedsNoInvalidation() {
    assertThat(machine.write(A)).isNotNull();
    machine.put(A, PAGE | 3);
    assertThat(machine.write(A)).isNull();
    machine.call(H_STUFF_TCE, LIOBN, A, 0, 1);
    assertThat(machine.write(A)).isNotNull();
  }

  @Test
  void aTableOfBillionsOfEntriesTakesWhatIsUsedOfIt() {
    machine.createWindow(12, 43);
    long last = DYNAMIC_BASE + (1L << 43) - 0x1000;
    assertThat(machine.call(H_PUT_TCE, DYNAMIC_LIOBN, last, PAGE | 3)).isEqualTo(SUCCESS);
    assertThat(machine.write(last)).isNull();
    assertThat(machine.call(H_STUFF_TCE, DYNAMIC_LIOBN, DYNAMIC_BASE, 0, 1L << 31))
        .isEqualTo(SUCCESS);
    assertThat(machine.write(last)).isNotNull();
    assertThat(machine.iommu.statistics().tablePages()).isEqualTo(5);
  }

  // --- VIO

  private DmaContext vio() {
    VioDevice device = machine.iommu.addVioDevice(0x7100_0003, 0x1000_0000);
    machine.iommu.attach(VIO, device);
    return machine.context(VIO);
  }

  private static @Nullable TargetAbort write(DmaContext device, long ioba) {
    return device.store(ioba, 8, ByteOrder.BIG_ENDIAN, 9);
  }

  @Test
  void aVioDeviceHasAWindowOfItsOwn() {
    DmaContext device = vio();
    assertThat(machine.call(H_PUT_TCE, 0x7100_0003, A, PAGE | 3)).isEqualTo(SUCCESS);
    assertThat(write(device, A)).isNull();
    assertThat(machine.load(PAGE)).isEqualTo(9);
    assertThat(machine.write(A)).isNotNull();
    assertThat(machine.call(H_PUT_TCE, 0x7100_0003, 0x1000_0000, PAGE | 3))
        .isEqualTo(ReturnCode.H_PARAMETER);
  }

  @Test
  void withBypassAVioDevicesAddressesAreGuestPhysical() {
    DmaContext device = vio();
    machine.call(H_PUT_TCE, 0x7100_0003, A, PAGE | 3);
    assertThat(write(device, A)).isNull();
    assertThat(machine.rtas(RtasFunction.SET_TCE_BYPASS, 1, 0x7100_0003, 1)).containsExactly(0);
    assertThat(write(device, A)).isNull();
    assertThat(machine.load(A)).isEqualTo(9);
    assertThat(write(device, SpaprMachine.MEMORY_BYTES)).isNotNull();

    assertThat(machine.rtas(RtasFunction.SET_TCE_BYPASS, 1, 0x7100_0003, 0)).containsExactly(0);
    assertThat(write(device, A + 0x1000)).isNotNull();
    assertThat(machine.write(A)).isNotNull();
  }

  @Test
  void aSwitchOfTheBypassWaitsForWhatIsMapped() {
    DmaContext device = vio();
    machine.rtas(RtasFunction.SET_TCE_BYPASS, 1, 0x7100_0003, 1);
    Mapping held = (Mapping) device.map(A, 4096, Access.WRITE);
    int[] status = {7};
    int[] inputs = {0x7100_0003, 0};
    assertThat(machine.iommu.rtas(machine.cpu, RtasFunction.SET_TCE_BYPASS, inputs, status))
        .isEqualTo(ReturnCode.HALTED);
    assertThat(status).containsExactly(7);
    held.close();
    assertThat(status).containsExactly(0);
    assertThat(machine.cpu.events()).containsExactly("halt", "resume 0");
  }

  @Test
  void aRebootEndsTheBypass() {
    DmaContext device = vio();
    machine.rtas(RtasFunction.SET_TCE_BYPASS, 1, 0x7100_0003, 1);
    assertThat(write(device, A)).isNull();
    machine.iommu.reset(() -> {});
    assertThat(write(device, A)).isNotNull();
  }

  @Test
  void onlyPciWindowsAreRemovedByRtas() {
    vio();
    assertThat(machine.rtas(RtasFunction.REMOVE_PE_DMA_WINDOW, 1, 0x7100_0003)).containsExactly(-3);
    assertThat(machine.rtas(RtasFunction.SET_TCE_BYPASS, 1, (int) LIOBN, 1)).containsExactly(-3);
  }

  // --- misuse

  @Test
  void whatWouldCollideIsMisuse() {
    assertThatIllegalArgumentException().isThrownBy(() -> machine.iommu.addHostBridge(0));
    assertThatIllegalArgumentException().isThrownBy(() -> machine.iommu.addHostBridge(256));
    assertThatIllegalStateException()
        .isThrownBy(() -> machine.iommu.attach(DEVICE, machine.bridge));
    assertThatIllegalArgumentException().isThrownBy(() -> machine.iommu.addVioDevice(0, 4096));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> machine.iommu.addVioDevice(0x8000_0000L, 4096));
    assertThatIllegalArgumentException().isThrownBy(() -> machine.iommu.addVioDevice(1, 100));
    machine.iommu.addVioDevice(1, 4096);
    assertThatIllegalArgumentException().isThrownBy(() -> machine.iommu.addVioDevice(1, 4096));
  }

  @Test
  void anAddressIsNeverAnInterruptMessage() {
    Translation answer =
        machine.iommu.translate(machine.device.endpoint(), 0xFEE0_0000L, Access.WRITE);
    assertThat(answer).isInstanceOf(Translation.Fault.class);
  }
}
