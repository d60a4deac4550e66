package dev.sluice.vm.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.memory.Access;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.models.vtd.VtdConfig;
import dev.sluice.models.vtd.VtdIommu;
import dev.sluice.vm.guest.machine.Bus;
import org.junit.jupiter.api.Test;

class InProcessPlatformTest {
  @Test
  void whereNothingIsReadsAreAllOnesAndWritesAreLost() {
    try (InProcessPlatform platform = new InProcessPlatform(4096)) {
      Bus bus = platform.bus();

      bus.write(0xE000_0000L, 4, 1);
      bus.writeConfig(GuestMachine.DISK, 4, 2, 7);

      assertThat(bus.read(0xE000_0000L, 4)).isEqualTo(0xFFFF_FFFFL);
      assertThat(bus.read(0xE000_0000L, 8)).isEqualTo(-1);
      assertThat(bus.readConfig(GuestMachine.DISK, 0, 2)).isEqualTo(0xFFFF);
      assertThat(platform.dma(GuestMachine.DISK)).isEmpty();
      assertThat(platform.dmarTable()).isEmpty();
    }
  }

  @Test
  void whatIsPluggedInTwiceIsRefused() {
    try (InProcessPlatform platform = new InProcessPlatform(4096)) {
      VtdIommu vtd =
          new VtdIommu(
              VtdConfig.DEFAULT, platform.memory(), platform::message, Thread::startVirtualThread);
      platform.plugVtd(vtd, new byte[0]);
      platform.plug(GuestMachine.TEST_DEVICE, new OneShotDma());

      assertThatThrownBy(() -> platform.plugVtd(vtd, new byte[0]))
          .isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> platform.plug(GuestMachine.TEST_DEVICE, new OneShotDma()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("00:06.0");
    }
  }

  @Test
  void closingTakesFunctionsOutAndFreesTheRam() {
    InProcessPlatform platform = new InProcessPlatform(8192);
    OneShotDma device = new OneShotDma();
    platform.plug(GuestMachine.TEST_DEVICE, device);
    assertThat(platform.memory().statusAt(4096, Access.WRITE)).isEqualTo(MemoryStatus.OK);

    platform.close();

    assertThat(platform.memory().statusAt(4096, Access.WRITE)).isEqualTo(MemoryStatus.HOLE);
    assertThat(platform.dma(GuestMachine.TEST_DEVICE)).isEmpty();
  }

  @Test
  void closingFreesTheRamThoughTheThreadIsInterrupted() {
    InProcessPlatform platform = new InProcessPlatform(4096);
    platform.plug(GuestMachine.TEST_DEVICE, new OneShotDma());

    Thread.currentThread().interrupt();
    platform.close();

    assertThat(Thread.interrupted()).isTrue();
    assertThat(platform.memory().statusAt(0, Access.WRITE)).isEqualTo(MemoryStatus.HOLE);
  }

  @Test
  void ramThatWouldReachIntoTheAddressesOfDevicesIsRefused() {
    assertThatThrownBy(() -> new InProcessPlatform(0xE000_1000L))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new InProcessPlatform(4097))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
