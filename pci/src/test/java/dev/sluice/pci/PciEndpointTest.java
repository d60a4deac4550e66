package dev.sluice.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.dma.DmaContext;
import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// What every function does with its host, its COMMAND register and resets.
class PciEndpointTest {
  private static final int MASTER_AND_MEMORY = 0b110;

  private static final class Device extends PciEndpoint {
    private final AtomicInteger resets = new AtomicInteger();

    private Device(ConfigSpace.Builder config) {
      super(config);
    }

    @Override
    protected void resetDevice(Runnable completed) {
      resets.incrementAndGet();
      completed.run();
    }

    @Override
    public void close() {}
  }

  private static final class Host implements FunctionHost {
    private final GuestMemory memory = new GuestMemory();
    private final DmaContext dma = DmaContext.direct(memory, RequesterId.of(0, 1, 0));

    private Host() {
      memory.addRam(0, RamRegion.allocate(4096));
    }

    private boolean mayAccess() {
      var abort = dma.check(0, 1, Access.READ);
      assertThat(abort == null || abort.reason() == AbortReason.BUS_MASTER_OFF).isTrue();
      return abort == null;
    }

    @Override
    public DmaContext dma() {
      return dma;
    }

    @Override
    public Interrupts interrupts() {
      throw new AssertionError("not asked for");
    }
  }

  private final MsixTable table = new MsixTable(3);
  private final Device device =
      new Device(
          ConfigSpace.builder()
              .id(1, 2)
              .bar(Bar.memory32(1, table.barSize(), table))
              .capability(new MsixCapability(table, 1)));
  private final Host host = new Host();
  private final AtomicInteger completions = new AtomicInteger();

  @Test
  void mayNotAccessMemoryUntilItIsABusMaster() {
    device.connect(host);
    assertThat(host.mayAccess()).isFalse();

    device.config().write(0x04, 2, MASTER_AND_MEMORY);
    assertThat(host.mayAccess()).isTrue();
    device.config().write(0x04, 2, 0b010);
    assertThat(host.mayAccess()).isFalse();
  }

  @Test
  void bringsItsBusMasterBitIntoANewHost() {
    device.config().write(0x04, 2, MASTER_AND_MEMORY);
    device.connect(host);

    assertThat(host.mayAccess()).isTrue();
  }

  @Test
  void aResetTakesAllThatSoftwareSetUp() {
    device.connect(host);
    device.config().write(0x04, 2, MASTER_AND_MEMORY);
    device.config().write(0x42, 2, 0x8000);
    table.write(12, 4, 0);

    device.reset(completions::incrementAndGet);

    assertThat(completions).hasValue(1);
    assertThat(device.resets).hasValue(1);
    assertThat(host.mayAccess()).isFalse();
    assertThat(device.config().read(0x42, 2)).isEqualTo(2);
    assertThat(table.masked(0)).isTrue();
    assertThat(device.host()).isPresent();
  }

  @Test
  void disconnectingResetsAndLetsGoOfTheHost() {
    device.connect(host);
    device.config().write(0x04, 2, MASTER_AND_MEMORY);

    device.disconnect(completions::incrementAndGet);

    assertThat(completions).hasValue(1);
    assertThat(host.mayAccess()).isFalse();
    assertThat(device.host()).isEmpty();
    device.config().write(0x04, 2, MASTER_AND_MEMORY);
    assertThat(host.mayAccess()).as("no longer its host").isFalse();
    device.connect(host);
  }

  @Test
  void disconnectingWhatIsNotConnectedStillCompletes() {
    device.disconnect(completions::incrementAndGet);

    assertThat(completions).hasValue(1);
  }

  @Test
  void connectingTwiceIsRefused() {
    device.connect(host);

    assertThatThrownBy(() -> device.connect(host)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void tellsItsBarsAndVectors() {
    assertThat(device.interruptVectors()).isEqualTo(3);
    assertThat(device.bar(1)).map(Bar::handler).hasValue(table);
    assertThat(device.bar(0)).isEmpty();
    assertThat(
            new Device(ConfigSpace.builder().capability(new MsiCapability(8))).interruptVectors())
        .isEqualTo(8);
    assertThat(new Device(ConfigSpace.builder()).interruptVectors()).isZero();
  }

  @Test
  void aThreadOfADeviceIsADaemonAndIsWaitedForDespiteAnInterrupt() {
    AtomicInteger done = new AtomicInteger();
    DeviceThread thread =
        new DeviceThread(
            "device-thread",
            () -> {
              assertThat(Thread.currentThread().isDaemon()).isTrue();
              assertThat(Thread.currentThread().getName()).isEqualTo("device-thread");
              done.incrementAndGet();
            });
    thread.start();
    Thread.currentThread().interrupt();

    thread.join();

    assertThat(done).hasValue(1);
    assertThat(Thread.interrupted()).as("the interrupt is kept").isTrue();
  }
}
