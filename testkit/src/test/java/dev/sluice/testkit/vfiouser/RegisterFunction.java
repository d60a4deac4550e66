package dev.sluice.testkit.vfiouser;

import dev.sluice.pci.Bar;
import dev.sluice.pci.BarHandler;
import dev.sluice.pci.ConfigSpace;
import dev.sluice.pci.FunctionHost;
import dev.sluice.pci.MsiCapability;
import dev.sluice.pci.MsixCapability;
import dev.sluice.pci.MsixTable;
import dev.sluice.pci.PciEndpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// A function that keeps what is written to it: BAR 0 is 4 KiB of registers, BAR 2 (64 bits wide)
/// the MSI-X table of 20 vectors; with MSI and a pin.
final class RegisterFunction extends PciEndpoint implements BarHandler {
  static final int SIZE = 4096;
  static final int VECTORS = 20;

  /// Every access to BAR 0: `r` or `w`, offset, size.
  final List<String> accesses = new ArrayList<>();

  final byte[] registers = new byte[SIZE];
  int resets;

  /// What a reset's end has to wait for; null ends it at once.
  boolean holdResets;

  final List<Runnable> heldResets = new CopyOnWriteArrayList<>();

  /// Runs before each read of BAR 0 is served.
  Runnable onRead = () -> {};

  RegisterFunction() {
    this(new MsixTable(VECTORS));
  }

  private RegisterFunction(MsixTable table) {
    super(
        ConfigSpace.builder()
            .id(0x1b36, 0x0011)
            .classCode(0xff0000)
            .interruptPin(1)
            .capability(new MsiCapability(4))
            .capability(new MsixCapability(table, 2))
            .bar(Bar.memory64(2, table.barSize(), table))
            .bar(Bar.memory32(0, SIZE, new Forward())));
    ((Forward) bar(0).orElseThrow().handler()).to = this;
  }

  /// Breaks the circle of a function whose BAR handler is itself.
  private static final class Forward implements BarHandler {
    private BarHandler to = this;

    @Override
    public long read(long offset, int size) {
      return to.read(offset, size);
    }

    @Override
    public void write(long offset, int size, long value) {
      to.write(offset, size, value);
    }
  }

  FunctionHost connectedTo() {
    return host().orElseThrow();
  }

  @Override
  public long read(long offset, int size) {
    accesses.add("r" + offset + "/" + size);
    onRead.run();
    long value = 0;
    for (int i = size - 1; i >= 0; i--) {
      value = value << 8 | (registers[(int) offset + i] & 0xff);
    }
    return value;
  }

  @Override
  public void write(long offset, int size, long value) {
    accesses.add("w" + offset + "/" + size);
    for (int i = 0; i < size; i++) {
      registers[(int) offset + i] = (byte) (value >>> (8 * i));
    }
  }

  @Override
  protected void resetDevice(Runnable completed) {
    resets++;
    if (holdResets) {
      heldResets.add(completed);
    } else {
      completed.run();
    }
  }

  @Override
  public void close() {}
}
