package dev.sluice.vm.guest.pci;

import dev.sluice.vm.guest.machine.HardwareException;
import dev.sluice.vm.guest.machine.InterruptController.Message;
import dev.sluice.vm.guest.machine.Mmio;

/// A function's MSI-X vectors (PCIe 7.7.2), driven in the order of Linux's `msix_capability_init`:
/// enable with the whole function masked, mask every entry, write the entries that are wanted,
/// unmask the function.
public final class MsixVectors {
  private static final int CAPABILITY = 0x11;
  private static final int CONTROL = 2;
  private static final int TABLE = 4;
  private static final int ENABLE = 1 << 15;
  private static final int FUNCTION_MASK = 1 << 14;
  private static final int COUNT_MASK = 0x7FF;
  private static final int BAR_MASK = 0x7;

  private static final int ENTRY = 16;
  private static final int ENTRY_UPPER = 4;
  private static final int ENTRY_DATA = 8;
  private static final int ENTRY_CONTROL = 12;
  private static final int MASKED = 1;

  private final PciDevice device;
  private final int capability;
  private final int count;
  private final Mmio table;
  private final long tableOffset;

  private MsixVectors(PciDevice device, int capability, int count, Mmio table, long tableOffset) {
    this.device = device;
    this.capability = capability;
    this.count = count;
    this.table = table;
    this.tableOffset = tableOffset;
  }

  /// Enables MSI-X with every vector masked. Memory decoding must be on.
  ///
  /// @throws HardwareException when the function has no MSI-X, or its table is outside of its BAR
  public static MsixVectors enable(PciDevice device) throws HardwareException {
    int capability =
        device
            .capability(CAPABILITY)
            .orElseThrow(() -> new HardwareException(device + " has no MSI-X capability"));
    int control = (int) device.read(capability + CONTROL, 2);
    device.write(capability + CONTROL, 2, control | ENABLE | FUNCTION_MASK);
    int count = (control & COUNT_MASK) + 1;
    long where = device.read(capability + TABLE, 4);
    long offset = where & ~BAR_MASK;
    Mmio bar = device.bar((int) where & BAR_MASK);
    if (offset + (long) count * ENTRY > bar.size()) {
      throw new HardwareException(
          "the MSI-X table of %s with %d vectors does not fit into its BAR"
              .formatted(device, count));
    }
    MsixVectors vectors = new MsixVectors(device, capability, count, bar, offset);
    for (int vector = 0; vector < count; vector++) {
      vectors.mask(vector, true);
    }
    device.write(capability + CONTROL, 2, (control & ~FUNCTION_MASK) | ENABLE);
    return vectors;
  }

  /// How many there are.
  public int count() {
    return count;
  }

  /// Gives a vector its message and unmasks it.
  ///
  /// @param vector 0 to [#count()] - 1
  public void program(int vector, Message message) {
    long at = entry(vector);
    table.write32(at, (int) message.address());
    table.write32(at + ENTRY_UPPER, (int) (message.address() >>> 32));
    table.write32(at + ENTRY_DATA, message.data());
    mask(vector, false);
  }

  /// Masks or unmasks a vector.
  public void mask(int vector, boolean on) {
    table.write32(entry(vector) + ENTRY_CONTROL, on ? MASKED : 0);
  }

  /// Turns MSI-X off.
  public void disable() {
    int control = (int) device.read(capability + CONTROL, 2);
    device.write(capability + CONTROL, 2, control & ~ENABLE);
  }

  private long entry(int vector) {
    return tableOffset + (long) vector * ENTRY;
  }
}
