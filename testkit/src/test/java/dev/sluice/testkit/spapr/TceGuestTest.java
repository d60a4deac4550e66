package dev.sluice.testkit.spapr;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.MapResult;
import dev.sluice.dma.Mapping;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import dev.sluice.models.spapr.PartitionableEndpoint;
import dev.sluice.models.spapr.SpaprConfig;
import dev.sluice.models.spapr.SpaprIommu;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// The driver, driven: what it maps a device reaches, and what it has unmapped is the guest's.
class TceGuestTest {
  private static final RequesterId DEVICE = RequesterId.of(0, 1, 0);
  private static final long LIST = 0x1000;
  private static final long BUFFER = 0x40_0000;
  private static final int PAGES = 600;

  private final GuestMemory memory = new GuestMemory();

  private TceGuest guest(SpaprIommu iommu) {
    memory.addRam(0, RamRegion.allocate(8 << 20));
    PartitionableEndpoint bridge = iommu.addHostBridge(0);
    iommu.attach(DEVICE, bridge);
    return new TceGuest(iommu, memory, bridge, LIST);
  }

  private DmaContext device(SpaprIommu iommu) {
    DmaContext device = DmaContext.behind(iommu, memory, DEVICE);
    device.revocation(Revocation.never());
    return device;
  }

  @Test
  void whatIsMappedIsReachedAndWhatIsUnmappedIsNot() {
    SpaprIommu iommu = new SpaprIommu(SpaprConfig.DEFAULT, memory);
    TceGuest guest = guest(iommu);
    DmaContext device = device(iommu);
    guest.map(0x8000, BUFFER, PAGES, true);
    assertThat(device.fill(0x8000, PAGES * 4096L, (byte) 7)).isNull();
    assertThat(device.fill(0x8000 + PAGES * 4096L, 1, (byte) 7)).isNotNull();
    AtomicInteger done = new AtomicInteger();
    guest.unmap(0x8000, PAGES, done::incrementAndGet);
    assertThat(done).hasValue(1);
    assertThat(device.check(0x8000 + 599 * 4096L, 1, Access.READ)).isNotNull();
    assertThat(iommu.statistics().calls().indirects()).isEqualTo(2);
    assertThat(iommu.statistics().calls().stuffs()).isEqualTo(2);
  }

  @Test
  void anUnmapGoesOnFromCallToCallWhenTheDeviceHasLetGo() {
    SpaprIommu iommu = new SpaprIommu(SpaprConfig.DEFAULT, memory);
    TceGuest guest = guest(iommu);
    DmaContext device = device(iommu);
    guest.map(0, BUFFER, PAGES, false);
    MapResult first = device.map(0, 4096, Access.READ);
    MapResult last = device.map(599 * 4096L, 4096, Access.READ);
    AtomicInteger done = new AtomicInteger();
    guest.unmap(0, PAGES, done::incrementAndGet);
    assertThat(first).isInstanceOfSatisfying(Mapping.class, Mapping::close);
    assertThat(done).hasValue(0);
    assertThat(last).isInstanceOfSatisfying(Mapping.class, Mapping::close);
    assertThat(done).hasValue(1);
  }

  @Test
  void aDynamicWindowIsUsedWhereThereIsOne() {
    SpaprIommu iommu = new SpaprIommu(SpaprConfig.DEFAULT, memory);
    TceGuest guest = guest(iommu);
    assertThat(guest.enableDynamicWindow(16, 26)).isTrue();
    assertThat(guest.window().base()).isEqualTo(1L << 59);
    guest.map(0x1_0000, BUFFER, 1, true);
    assertThat(device(iommu).fill((1L << 59) + 0x1_0000, 0x1_0000, (byte) 7)).isNull();
    assertThat(guest.enableDynamicWindow(16, 26)).isFalse();
  }

  @Test
  void withoutDynamicWindowsTheDefaultOneStaysInUse() {
    SpaprIommu iommu = new SpaprIommu(SpaprConfig.DEFAULT.withIoPageShifts(Set.of()), memory);
    TceGuest guest = guest(iommu);
    assertThat(guest.enableDynamicWindow(16, 26)).isFalse();
    assertThat(guest.window().isDefault()).isTrue();
  }
}
