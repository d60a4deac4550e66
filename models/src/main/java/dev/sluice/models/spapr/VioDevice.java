package dev.sluice.models.spapr;

/// A virtual I/O device: no PCI, but a bus address space with a window of its own, which the guest
/// may tell to be bypassed.
public final class VioDevice {
  private final long unitAddress;
  private final long windowBytes;
  private final DmaSpace space;

  VioDevice(long unitAddress, long windowBytes, DmaSpace space) {
    this.unitAddress = unitAddress;
    this.windowBytes = windowBytes;
    this.space = space;
  }

  /// Its unit address (`reg`), which is its LIOBN too.
  public long unitAddress() {
    return unitAddress;
  }

  /// Its window.
  public PartitionableEndpoint.Window window() {
    return new PartitionableEndpoint.Window(unitAddress, 0, windowBytes, Tce.MIN_PAGE_SHIFT, true);
  }

  /// Whether its bus addresses are guest-physical ones now.
  public boolean bypass() {
    return space.state().bypass();
  }

  long windowBytes() {
    return windowBytes;
  }

  DmaSpace space() {
    return space;
  }

  @Override
  public String toString() {
    return "VIO device 0x%x".formatted(unitAddress);
  }
}
