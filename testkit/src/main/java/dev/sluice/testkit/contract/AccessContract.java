package dev.sluice.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.Mapping;
import dev.sluice.dma.TargetAbort;
import dev.sluice.iommu.AbortReason;
import dev.sluice.memory.Access;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Who may touch what, and who is told when it is refused.
interface AccessContract extends ContractSubject {
  @Test
  default void aDeviceReachesWhatItsTablesGrantAndNothingElse() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    machine.map(0, 1, machine.frame(5));
    assertThat(machine.leads(device, machine.iova(1), machine.frame(5))).isTrue();
    assertThat(machine.leads(device, machine.iova(2) - 8, machine.frame(6) - 8)).isTrue();
    assertThat(machine.isRefused(device, machine.iova(0))).isTrue();
    assertThat(machine.isRefused(device, machine.iova(2))).isTrue();
    assertThat(machine.isRefused(device, machine.iova(1) + (1L << 62))).isTrue();
  }

  @Test
  default void devicesOfOneDomainShareItsPages() {
    ContractMachine machine = machine();
    DmaContext one = machine.device(0);
    DmaContext other = machine.device(0);
    machine.map(0, 1, machine.frame(5));
    assertThat(machine.leads(one, machine.iova(1), machine.frame(5))).isTrue();
    assertThat(machine.leads(other, machine.iova(1), machine.frame(5))).isTrue();
  }

  @Test
  default void devicesOfTwoDomainsReachNothingOfEachOthers() {
    ContractMachine machine = machine();
    if (machine.model().abilities().domains() == 1) {
      assertThatExceptionOfType(UnsupportedOperationException.class)
          .isThrownBy(() -> machine.device(1));
      return;
    }
    DmaContext one = machine.device(0);
    DmaContext other = machine.device(1);
    machine.map(0, 1, machine.frame(5));
    machine.map(1, 1, machine.frame(6));
    machine.map(1, 2, machine.frame(7));
    assertThat(machine.leads(one, machine.iova(1), machine.frame(5))).isTrue();
    assertThat(machine.leads(other, machine.iova(1), machine.frame(6))).isTrue();
    assertThat(machine.leads(one, machine.iova(1), machine.frame(5))).isTrue();
    assertThat(machine.leads(other, machine.iova(2), machine.frame(7))).isTrue();
    assertThat(machine.isRefused(one, machine.iova(2))).isTrue();
  }

  @ParameterizedTest
  @EnumSource
  default void aPageMayBeUsedForWhatItIsMappedForOnly(Access rights) {
    ContractMachine machine = machine();
    IommuUnderTest model = machine.model();
    DmaContext device = machine.device(0);
    if (!model.abilities().rights().contains(rights)) {
      assertThatExceptionOfType(UnsupportedOperationException.class)
          .isThrownBy(
              () -> model.map(0, machine.iova(1), machine.frame(1), machine.smallest(), rights));
      return;
    }
    model.map(0, machine.iova(1), machine.frame(1), machine.smallest(), rights);
    for (Access use : Access.values()) {
      boolean allowed = (use.rights() & ~rights.rights()) == 0;
      // The second time from a cache.
      for (int i = 0; i < 2; i++) {
        assertThat(device.check(machine.iova(1), 8, use))
            .as("%s of a page for %s", use, rights)
            .matches(abort -> (abort == null) == allowed);
      }
      if (device.map(machine.iova(1), 8, use) instanceof Mapping mapping) {
        mapping.close();
        assertThat(allowed).as("mapping for %s of a page for %s", use, rights).isTrue();
      } else {
        assertThat(allowed).as("mapping for %s of a page for %s", use, rights).isFalse();
      }
    }
  }

  @Test
  default void pagesOfEverySizeLeadFromTheirFirstByteToTheirLast() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    for (PageSize size : machine.model().abilities().pageSizes()) {
      long bytes = 1L << size.shift();
      // A page that has all of the memory leads to a part of it only.
      long address = bytes <= ContractMemory.LARGE_BYTES ? ContractMemory.LARGE : 0;
      long first = ContractMemory.LARGE - address;
      long last = first + Math.min(bytes, ContractMemory.LARGE_BYTES) - 8;
      machine.model().map(0, size.iova(), address, size, Access.READ_WRITE);
      assertThat(machine.leads(device, size.iova() + first, address + first))
          .as("first bytes of a page of 2^%d bytes", size.shift())
          .isTrue();
      assertThat(machine.leads(device, size.iova() + last, address + last))
          .as("last bytes of a page of 2^%d bytes", size.shift())
          .isTrue();
      assertThat(machine.isRefused(device, size.iova() - 8)).isTrue();
      assertThat(machine.isRefused(device, size.iova() + bytes)).isTrue();
    }
  }

  // --- mappings of several pages

  @Test
  default void pagesThatAreNeighboursOnBothSidesAreOneMapping() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    machine.mapFrames(0, 1, 4);
    try (Mapping mapping =
        ContractMachine.mapping(device, machine.iova(1) + 8, 4L * machine.page() - 16)) {
      assertThat(mapping.length()).isEqualTo(4L * machine.page() - 16);
      assertThat(mapping.stop()).isEqualTo(Mapping.Stop.COMPLETE);
      mapping.fill(0, mapping.length(), (byte) 0x33);
    }
    assertThat(machine.memory().isAll(machine.frame(1), 8, (byte) 0)).isTrue();
    assertThat(machine.memory().isAll(machine.frame(1) + 8, 4 * machine.page() - 16, (byte) 0x33))
        .isTrue();
    assertThat(machine.memory().isAll(machine.frame(5) - 8, 8, (byte) 0)).isTrue();
  }

  @Test
  default void aMappingEndsWhereTheNextPageIsElsewhere() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    machine.mapFrames(0, 1, 2);
    machine.map(0, 3, machine.frame(7));
    try (Mapping mapping = ContractMachine.mapping(device, machine.iova(1), 3L * machine.page())) {
      assertThat(mapping.length()).isEqualTo(2L * machine.page());
      assertThat(mapping.stop()).isEqualTo(Mapping.Stop.DISCONTIGUOUS);
    }
  }

  @Test
  default void aMappingEndsWhereTheNextPageIsRefusedAndNobodyIsTold() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    machine.mapFrames(0, 1, 2);
    try (Mapping mapping = ContractMachine.mapping(device, machine.iova(1), 3L * machine.page())) {
      assertThat(mapping.length()).isEqualTo(2L * machine.page());
      assertThat(mapping.stop()).isEqualTo(Mapping.Stop.REFUSED);
    }
    assertThat(machine.model().takeFaults()).isEmpty();
  }

  // --- refusals

  @Test
  default void aRefusedAccessIsReportedOnceAndToTheDevice() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    TargetAbort abort = device.store(machine.iova(3) + 8, 8, ByteOrder.LITTLE_ENDIAN, 1);
    assertThat(abort).isNotNull();
    assertThat(abort.iova()).isEqualTo(machine.iova(3) + 8);
    assertThat(abort.bytesMoved()).isZero();
    assertThat(machine.model().takeFaults())
        .containsExactly(new FaultReport(machine.iova(3), true));
    assertThat(machine.model().takeFaults()).isEmpty();
  }

  @Test
  default void aRefusedMappingIsReportedOnce() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    assertThat(device.map(machine.iova(3), 8, Access.WRITE)).isInstanceOf(TargetAbort.class);
    assertThat(machine.model().takeFaults())
        .containsExactly(new FaultReport(machine.iova(3), true));
  }

  @Test
  default void aMereCheckIsReportedToTheDeviceAndNotToTheGuest() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    for (Access use : Access.values()) {
      assertThat(device.check(machine.iova(3), 8, use)).isNotNull();
    }
    assertThat(machine.model().takeFaults()).isEmpty();
  }

  @Test
  default void aTransferThatIsRefusedHalfWaySaysHowFarItCame() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    machine.mapFrames(0, 1, 2);
    TargetAbort abort = device.fill(machine.iova(1), 3L * machine.page(), (byte) 0x44);
    assertThat(abort).isNotNull();
    assertThat(abort.bytesMoved()).isEqualTo(2L * machine.page());
    assertThat(abort.iova()).isEqualTo(machine.iova(3));
    assertThat(machine.memory().isAll(machine.frame(1), 2 * machine.page(), (byte) 0x44)).isTrue();
    assertThat(machine.memory().isAll(machine.frame(3), machine.page(), (byte) 0)).isTrue();
    assertThat(machine.model().takeFaults())
        .containsExactly(new FaultReport(machine.iova(3), true));
  }

  @Test
  default void aFunctionThatIsNoBusMasterReachesNothingAndNobodyIsTold() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    machine.map(0, 1, machine.frame(1));
    assertThat(machine.leads(device, machine.iova(1), machine.frame(1))).isTrue();
    device.busMaster(false);
    assertThat(device.store(machine.iova(1), 8, ByteOrder.LITTLE_ENDIAN, 1))
        .extracting(TargetAbort::reason)
        .isEqualTo(AbortReason.BUS_MASTER_OFF);
    assertThat(device.map(machine.iova(1), 8, Access.READ)).isInstanceOf(TargetAbort.class);
    assertComplete(machine.model().unmap(0, machine.iova(1), 1), "nothing is under way");
    assertThat(machine.model().takeFaults()).isEmpty();
  }

  /// No model here has tables for PASIDs yet; the first that has says so in its abilities.
  @Test
  default void aRequestWithAPasidDoesNotReachWhatThoseWithoutDo() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    machine.map(0, 1, machine.frame(1));
    assertThat(machine.leads(device, machine.iova(1), machine.frame(1))).isTrue();
    try (DmaContext other =
        DmaContext.behind(
            machine.model().iommu(), machine.memory().physical(), device.requester(), 5)) {
      assertThat(other.store(machine.iova(1), 8, ByteOrder.LITTLE_ENDIAN, 1))
          .extracting(TargetAbort::reason)
          .isEqualTo(AbortReason.BLOCKED);
    }
  }

  // --- invalidations without anything under way

  @Test
  default void anInvalidationTakesEffectWhenTheGuestSeesItComplete() {
    for (Width width : Width.values()) {
      ContractMachine machine = machine();
      IommuUnderTest model = machine.model();
      if (!model.abilities().widths().contains(width)) {
        if (width == Width.DOMAIN || width == Width.EVERYTHING) {
          assertThatExceptionOfType(UnsupportedOperationException.class)
              .isThrownBy(() -> model.clear(width, 0));
        }
        continue;
      }
      DmaContext device = machine.device(0);
      machine.map(0, 1, machine.frame(1));
      assertThat(machine.leads(device, machine.iova(1), machine.frame(1))).isTrue();
      assertComplete(machine.takeAway(width, 0, 1, 1), "nothing is under way");
      assertThat(machine.isRefused(device, machine.iova(1))).as("after %s", width).isTrue();
    }
  }

  @Test
  default void aPageThatIsRemappedLeadsElsewhereFromThenOn() {
    ContractMachine machine = machine();
    DmaContext device = machine.device(0);
    machine.map(0, 1, machine.frame(1));
    for (int i = 2; i < 6; i++) {
      assertThat(machine.leads(device, machine.iova(1), machine.frame(i - 1))).isTrue();
      assertComplete(
          machine.model().remap(0, machine.iova(1), machine.frame(i)), "nothing is under way");
      assertThat(machine.leads(device, machine.iova(1), machine.frame(i))).isTrue();
    }
  }

  @Test
  default void anInvalidationForgetsNoMoreThanItIsAbout() {
    ContractMachine machine = machine();
    Abilities abilities = machine.model().abilities();
    DmaContext device = machine.device(0);
    DmaContext elsewhere = abilities.domains() > 1 ? machine.device(1) : device;
    int other = abilities.domains() > 1 ? 1 : 0;
    for (Width width : abilities.widths()) {
      machine.mapFrames(0, 0, 8);
      if (other != 0) {
        machine.mapFrames(other, 0, 8);
      }
      touch(machine, device);
      touch(machine, elsewhere);
      assertComplete(machine.takeAway(width, 0, 2, 2), "nothing is under way");
      Set<Integer> left =
          switch (width) {
            case PAGE -> Set.of(0, 1, 3, 4, 5, 6, 7);
            case RANGE -> Set.of(0, 1, 4, 5, 6, 7);
            case DOMAIN, EVERYTHING -> Set.of();
          };
      assertNothingIsWalked(machine, device, left, width);
      if (other != 0 && width != Width.EVERYTHING) {
        assertNothingIsWalked(machine, elsewhere, Set.of(0, 1, 2, 3, 4, 5, 6, 7), width);
      }
      emptyAll(machine, width, other);
    }
  }

  private void touch(ContractMachine machine, DmaContext device) {
    for (int i = 0; i < 8; i++) {
      assertThat(device.fill(machine.iova(i), 8, (byte) 0)).isNull();
    }
  }

  private void assertNothingIsWalked(
      ContractMachine machine, DmaContext device, Set<Integer> pages, Width width) {
    long before = device.endpoint().misses();
    for (int page : pages) {
      assertThat(device.fill(machine.iova(page), 8, (byte) 0)).isNull();
    }
    assertThat(device.endpoint().misses()).as("walks after %s", width).isEqualTo(before);
  }

  /// So that the next width finds the pages unmapped.
  private void emptyAll(ContractMachine machine, Width done, int other) {
    List<Integer> domains = other == 0 ? List.of(0) : List.of(0, other);
    for (int domain : domains) {
      if (done == Width.EVERYTHING || (done == Width.DOMAIN && domain == 0)) {
        continue;
      }
      assertComplete(machine.model().unmap(domain, machine.iova(0), 8), "nothing is under way");
    }
  }
}
