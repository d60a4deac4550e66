package dev.sluice.vm.guest.dma;

import dev.sluice.vm.guest.machine.HardwareException;

/// Gives one device access to pages of RAM and takes it away again.
public interface DmaMapper {
  /// Lets the device use `pages`.
  ///
  /// @param pages physical addresses, multiples of 4096; one or more
  DmaBuffer map(long[] pages, DmaDirection direction) throws HardwareException;

  /// Takes away what [#map] gave. When it returns in strict mode, and without an IOMMU, the pages
  /// may be used for anything; in lazy mode the device can still reach them for a while.
  void unmap(DmaBuffer buffer) throws HardwareException;

  /// The mapper of a device without an IOMMU: its addresses are physical.
  static DmaMapper direct() {
    return new DmaMapper() {
      @Override
      public DmaBuffer map(long[] pages, DmaDirection direction) {
        return new DmaBuffer(pages, pages);
      }

      @Override
      public void unmap(DmaBuffer buffer) {}
    };
  }
}
