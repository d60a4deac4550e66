package dev.sluice.vm.guest;

import dev.sluice.dma.DmaContext;
import dev.sluice.dma.TargetAbort;
import dev.sluice.pci.Bar;
import dev.sluice.pci.BarHandler;
import dev.sluice.pci.ConfigSpace;
import dev.sluice.pci.PciEndpoint;
import dev.sluice.vm.kit.linux.RegisterStep;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The smallest device that can do the wrong thing: it stores 8 bytes where it is told to.
final class OneShotDma extends PciEndpoint {
  private final Registers registers;

  OneShotDma() {
    Registers made = new Registers();
    registers = made;
    super(ConfigSpace.builder().id(0x1234, 1).bar(Bar.memory32(0, 4096, made)));
  }

  /// The register accesses that make the device store at `address`.
  static List<RegisterStep> steps(long address) {
    return List.of(
        new RegisterStep.Write(64, 0, address),
        new RegisterStep.Write(32, 8, 1),
        new RegisterStep.Poll(32, 8, 0xFF, 2, Duration.ofSeconds(20)));
  }

  @Override
  public void connect(dev.sluice.pci.FunctionHost newHost) {
    super.connect(newHost);
    registers.dma = newHost.dma();
  }

  @Override
  protected void resetDevice(Runnable completed) {
    completed.run();
  }

  @Override
  public void close() {}

  private static final class Registers implements BarHandler {
    private volatile @Nullable DmaContext dma;
    private volatile long address;
    private volatile int state;

    @Override
    public long read(long offset, int size) {
      return offset == 8 ? state : 0;
    }

    @Override
    public void write(long offset, int size, long value) {
      if (offset == 0) {
        address = value;
      } else {
        Thread.startVirtualThread(this::store);
      }
    }

    private void store() {
      DmaContext context = dma;
      if (context != null) {
        TargetAbort _ = context.store(address, 8, ByteOrder.LITTLE_ENDIAN, 0x0BAD_0BAD_0BAD_0BADL);
      }
      state = 2;
    }
  }
}
