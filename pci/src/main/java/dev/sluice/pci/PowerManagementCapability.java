package dev.sluice.pci;

/// Power management, D0 and D3hot only, without PME (PCIe 7.5.2).
///
/// ```
///   31                             16 15       8 7        0
///  |  PMC: version 3, no PME         |  next    |  id 01h  |
///  |  data     |  reserved  | PMCSR: bits 1:0 power state  |
/// ```
///
/// The power state is kept for software to read; a device that saves power hooks nothing here.
public final class PowerManagementCapability implements Capability {
  /// A capability in state D0.
  public PowerManagementCapability() {}

  private static final int VERSION_3 = 3;
  private static final int POWER_STATE = 0b11;
  private static final int NO_SOFT_RESET = 1 << 3;

  @Override
  public int id() {
    return 0x01;
  }

  @Override
  public int length() {
    return 8;
  }

  @Override
  public void layOut(ConfigImage image, CapabilityRegisters at) {
    image.constant(2, 2, VERSION_3);
    image.register(4, 2, NO_SOFT_RESET, POWER_STATE);
  }
}
