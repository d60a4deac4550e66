package dev.sluice.vm.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.memory.Access;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.models.vtd.VtdConfig;
import dev.sluice.models.vtd.VtdIommu;
import dev.sluice.vm.guest.machine.Bus;
import org.junit.jupiter.api.Test;

class InProcessMachineTest {
  @Test
  void whereNothingIsReadsAreAllOnesAndWritesAreLost() {
    try (InProcessMachine platform = new InProcessMachine(4096)) {
      Bus bus = platform.bus();

      bus.write(0xE000_0000L, 4, 1);
      bus.writeConfig(DriverBench.DISK, 4, 2, 7);

      assertThat(bus.read(0xE000_0000L, 4)).isEqualTo(0xFFFF_FFFFL);
      assertThat(bus.read(0xE000_0000L, 8)).isEqualTo(-1);
      assertThat(bus.readConfig(DriverBench.DISK, 0, 2)).isEqualTo(0xFFFF);
      assertThat(platform.dma(DriverBench.DISK)).isEmpty();
      assertThat(platform.dmarTable()).isEmpty();
    }
  }

  @Test
  void whatIsPluggedInTwiceIsRefused() {
    try (InProcessMachine platform = new InProcessMachine(4096)) {
      VtdIommu vtd =
          new VtdIommu(
              VtdConfig.DEFAULT, platform.memory(), platform::message, Thread::startVirtualThread);
      platform.plugVtd(vtd, new byte[0]);
      platform.plug(DriverBench.TEST_DEVICE, new OneShotDma());

      assertThatThrownBy(() -> platform.plugVtd(vtd, new byte[0]))
          .isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> platform.plug(DriverBench.TEST_DEVICE, new OneShotDma()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("00:06.0");
    }
  }

  @Test
  void closingTakesFunctionsOutAndFreesTheRam() {
    InProcessMachine platform = new InProcessMachine(8192);
    OneShotDma device = new OneShotDma();
    platform.plug(DriverBench.TEST_DEVICE, device);
    assertThat(platform.memory().statusAt(4096, Access.WRITE)).isEqualTo(MemoryStatus.OK);

    platform.close();

    assertThat(platform.memory().statusAt(4096, Access.WRITE)).isEqualTo(MemoryStatus.HOLE);
    assertThat(platform.dma(DriverBench.TEST_DEVICE)).isEmpty();
  }

  @Test
  void closingFreesTheRamThoughTheThreadIsInterrupted() {
    InProcessMachine platform = new InProcessMachine(4096);
    platform.plug(DriverBench.TEST_DEVICE, new OneShotDma());

    Thread.currentThread().interrupt();
    platform.close();

    assertThat(Thread.interrupted()).isTrue();
    assertThat(platform.memory().statusAt(0, Access.WRITE)).isEqualTo(MemoryStatus.HOLE);
  }

  @Test
  void ramThatWouldReachIntoTheAddressesOfDevicesIsRefused() {
    assertThatThrownBy(() -> new InProcessMachine(0xE000_1000L))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new InProcessMachine(4097))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
