package dev.sluice.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.MapResult;
import dev.sluice.dma.MappedMemory;
import dev.sluice.dma.Mapping;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Tests of a device, most of them careless, for [MappingLeaksTest] to run. Its name keeps it out
/// of a build's own run.
final class CarelessDevice {
  @RegisterExtension final MappingLeaks leaks = new MappingLeaks();

  private final DmaContext dma = leaks.watch(context());
  private Mapping closedAfterwards = map();

  private static DmaContext context() {
    GuestMemory memory = new GuestMemory();
    memory.addRam(0, RamRegion.allocate(4096));
    return DmaContext.direct(memory, RequesterId.of(0, 5, 0));
  }

  private Mapping map() {
    return (Mapping) leaks.opened(dma.map(0, 64, Access.READ));
  }

  @AfterEach
  void close() {
    closedAfterwards.close();
  }

  @Test
  void closesWhatItMaps() {
    map().close();
  }

  @Test
  void leavesOneOpen() {
    map();
  }

  @Test
  void leavesOneOpenThatNobodyRemembers() {
    dma.map(0, 64, Access.READ);
  }

  @Test
  void leavesOneOpenOfAContextThatNobodyWatches() {
    leaks.opened(context().map(0, 64, Access.READ));
  }

  @Test
  void leavesABounceMappingOpen() {
    GuestMemory memory = new GuestMemory();
    memory.addRam(0, RamRegion.allocate(4096));
    memory.addRam(4096, RamRegion.allocate(4096));
    DmaContext scattered = leaks.watch(DmaContext.direct(memory, RequesterId.of(0, 6, 0)));
    assertThat(leaks.openedWhole(scattered.mapWhole(0, 8192, Access.READ)))
        .isInstanceOf(MappedMemory.class);
  }

  @Test
  void isRefused() {
    MapResult refused = leaks.opened(dma.map(8192, 64, Access.READ));
    assertThat(refused).isNotInstanceOf(Mapping.class);
  }

  @Test
  void failsBeforeItCloses() {
    map();
    throw new IllegalStateException("a defect of its own");
  }
}
