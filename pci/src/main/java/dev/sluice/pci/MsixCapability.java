package dev.sluice.pci;

import org.jspecify.annotations.Nullable;

/// MSI-X: as many vectors as the function has, their table and pending bits in a BAR (PCIe 7.7.2).
///
/// ```
///  00h |  message control  |  next  |  id 11h            |
///  04h |  table offset, bytes              | 2:0 its BAR |
///  08h |  pending bit array offset, bytes  | 2:0 its BAR |
///
///  message control:  15 = enable, 14 = function mask, 10:0 = number of vectors - 1
/// ```
public final class MsixCapability implements Capability {
  private static final int CONTROL = 0x02;
  private static final int ENABLE = 1 << 15;
  private static final int FUNCTION_MASK = 1 << 14;

  private final MsixTable table;
  private final int bar;
  private @Nullable CapabilityRegisters registers;

  /// A capability whose table and pending bits are laid out by `table` at the start of BAR `bar`.
  public MsixCapability(MsixTable table, int bar) {
    if (bar < 0 || bar >= Bar.COUNT) {
      throw new IllegalArgumentException("BAR index " + bar + " is not in 0.." + (Bar.COUNT - 1));
    }
    this.table = table;
    this.bar = bar;
  }

  /// How many vectors the function has.
  public int vectors() {
    return table.vectors();
  }

  /// The table and the pending bits.
  public MsixTable table() {
    return table;
  }

  /// Whether software has enabled MSI-X.
  public boolean enabled() {
    return (control() & ENABLE) != 0;
  }

  /// Whether software masks all vectors.
  public boolean functionMasked() {
    return (control() & FUNCTION_MASK) != 0;
  }

  private int control() {
    return registers == null ? 0 : registers.read(CONTROL, 2);
  }

  @Override
  public int id() {
    return 0x11;
  }

  @Override
  public int length() {
    return 12;
  }

  @Override
  public void layOut(ConfigImage image, CapabilityRegisters at) {
    registers = at;
    image.register(CONTROL, 2, table.vectors() - 1, ENABLE | FUNCTION_MASK);
    image.constant(0x04, 4, bar);
    image.constant(0x08, 4, (int) table.pendingOffset() | bar);
    image.hook(CONTROL, 2, table::maskChanged);
  }
}
