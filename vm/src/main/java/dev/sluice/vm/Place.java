package dev.sluice.vm;

import dev.sluice.iommu.RequesterId;

/// Where a function of the platform sits on PCI bus 0, and what its socket is called.
///
/// QEMU's q35 has its own functions at 00.0 and 1f.x; the rest of the bus is free.
enum Place {
  /// The IOMMU itself, whose registers are BAR 0 of a function.
  IOMMU("iommu", 4),
  /// The disk.
  NVME("nvme", 5),
  /// The device that does one DMA on command.
  TEST_DEVICE("test", 6);

  private final String text;
  private final int device;

  Place(String text, int device) {
    this.text = text;
    this.device = device;
  }

  String text() {
    return text;
  }

  RequesterId requester() {
    return RequesterId.of(0, device, 0);
  }
}
