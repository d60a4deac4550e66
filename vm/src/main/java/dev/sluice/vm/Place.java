package dev.sluice.vm;

import dev.sluice.iommu.RequesterId;
import dev.sluice.vm.kit.qemu.VfioUserDevice;
import java.nio.file.Path;

/// Where a function of the platform sits on PCI bus 0, and what its socket is called.
///
/// QEMU's q35 has its own functions at 00.0 and 1f.x; the rest of the bus is free.
enum Place {
  /// The IOMMU itself, whose registers are BAR 0 of a function.
  ///
  /// A guest moves the tail of the invalidation queue and then looks until what it queued is
  /// complete. That is nearly always so when the write has been served; after a posted write Linux
  /// reads FSTS meanwhile, once more the way to this process and back.
  IOMMU("iommu", 4, VfioUserDevice.Writes.AWAITED),
  /// The disk.
  NVME("nvme", 5, VfioUserDevice.Writes.POSTED),
  /// The device that does one DMA on command.
  TEST_DEVICE("test", 6, VfioUserDevice.Writes.POSTED);

  private final String text;
  private final int device;
  private final VfioUserDevice.Writes writes;

  Place(String text, int device, VfioUserDevice.Writes writes) {
    this.text = text;
    this.device = device;
    this.writes = writes;
  }

  String text() {
    return text;
  }

  RequesterId requester() {
    return RequesterId.of(0, device, 0);
  }

  /// The function as QEMU gets it, when its server listens at `socket`.
  VfioUserDevice behind(Path socket) {
    return new VfioUserDevice(socket, requester(), writes);
  }
}
