package dev.sluice.pci;

/// Identifiers of the functions that come with Sluice.
///
/// The vendor is 1234h, which the PCI-SIG has not assigned and which Bochs and QEMU use for their
/// own experimental devices (1234:1111, 1234:11e8): a vendor's real number could make a driver
/// apply the quirks of that vendor's hardware. Drivers find an NVMe controller by its class code,
/// whoever made it.
public final class DeviceIds {
  /// The vendor.
  public static final int VENDOR = 0x1234;

  /// [dev.sluice.pci.nvme.NvmeController].
  public static final int NVME = 0x5104;

  /// [dev.sluice.pci.testdev.TestDevice].
  public static final int TEST_DEVICE = 0x5105;

  private DeviceIds() {}
}
