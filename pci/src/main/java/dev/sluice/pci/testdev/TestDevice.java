package dev.sluice.pci.testdev;

import dev.sluice.pci.Bar;
import dev.sluice.pci.ConfigSpace;
import dev.sluice.pci.DeviceIds;
import dev.sluice.pci.FunctionHost;
import dev.sluice.pci.MsixCapability;
import dev.sluice.pci.MsixTable;
import dev.sluice.pci.PciEndpoint;
import dev.sluice.pci.PcieCapability;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/// A device that does on command what a driver's test, or somebody who wants to see a fault, needs:
/// one direct memory access, with its address, length and kind from registers, and the outcome in
/// registers. It can keep memory mapped for as long as it is told, and so keep an invalidation
/// waiting. Of its two channels, one can go on while the other does that.
///
/// Every register is a dword of BAR 0, so that a shell with `devmem` can drive it;
/// `docs/devices.md` has the table and an example.
public final class TestDevice extends PciEndpoint {
  /// The value of the register at offset 0: "SLT1" in ASCII, from the lowest byte on.
  public static final int MAGIC = 0x3154_4c53;

  /// The most bytes of one access, 16 MiB: bounds the mappings that an operation holds.
  public static final int MAX_LENGTH = 16 << 20;

  /// The value of HOLD for a hold without a deadline.
  static final int UNTIL_RELEASED = -1;

  /// Bytes of BAR 0 that the registers of one channel have.
  static final int CHANNEL_BYTES = 0x800;

  /// Where in BAR 0 the window is, and how many bytes it has.
  static final int WINDOW_OFFSET = 0x1000;

  static final int WINDOW = 0x1000;

  private static final int VECTORS = 4;
  private static final int REGISTERS_BAR = 0;
  private static final int MSIX_BAR = 2;
  private static final long REGISTERS_SIZE = WINDOW_OFFSET + WINDOW;

  /// "Other" device: no driver binds to it by class.
  private static final int CLASS_CODE = 0xff_00_00;

  private final List<Channel> channels;

  /// A device that is not connected yet. It has one thread for each channel, until [#close()].
  ///
  /// @param name of its threads
  public TestDevice(String name) {
    List<Channel> made = new ArrayList<>();
    for (int i = 0; i < WINDOW_OFFSET / CHANNEL_BYTES; i++) {
      made.add(new Channel("test-device-%s-%d".formatted(name, i), VECTORS));
    }
    channels = List.copyOf(made);
    super(configSpace(new TestRegisters(List.copyOf(made))));
    channels.forEach(Channel::open);
  }

  private static ConfigSpace.Builder configSpace(TestRegisters registers) {
    MsixTable vectors = new MsixTable(VECTORS);
    return ConfigSpace.builder()
        .id(DeviceIds.VENDOR, DeviceIds.TEST_DEVICE)
        .revision(1)
        .classCode(CLASS_CODE)
        .bar(Bar.memory32(REGISTERS_BAR, REGISTERS_SIZE, registers))
        .bar(Bar.memory32(MSIX_BAR, vectors.barSize(), vectors))
        .capability(new MsixCapability(vectors, MSIX_BAR))
        .capability(new PcieCapability(PcieCapability.Type.ROOT_COMPLEX_INTEGRATED_ENDPOINT));
  }

  @Override
  public void connect(FunctionHost newHost) {
    super.connect(newHost);
    channels.forEach(channel -> channel.connect(newHost));
  }

  @Override
  protected void resetDevice(Runnable completed) {
    AtomicInteger left = new AtomicInteger(channels.size());
    for (Channel channel : channels) {
      channel.connect(host().orElse(null));
      channel.reset(() -> {
        if (left.decrementAndGet() == 0) {
          completed.run();
        }
      });
    }
  }

  @Override
  public void close() {
    channels.forEach(Channel::close);
  }
}
