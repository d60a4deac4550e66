package dev.sluice.vm.guest;

import dev.sluice.models.vtd.VtdIommu;
import dev.sluice.pci.BarHandler;

/// The registers of a VT-d as a bus reaches them.
public final class VtdRegisterPage implements BarHandler {
  private final VtdIommu vtd;

  /// @param vtd whose registers they are
  public VtdRegisterPage(VtdIommu vtd) {
    this.vtd = vtd;
  }

  @Override
  public long read(long offset, int size) {
    return vtd.readRegister(offset, size);
  }

  @Override
  public void write(long offset, int size, long value) {
    vtd.writeRegister(offset, size, value);
  }
}
