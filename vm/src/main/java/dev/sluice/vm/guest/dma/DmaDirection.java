package dev.sluice.vm.guest.dma;

/// What a device may do with mapped memory; named as Linux names it, from the device's side.
public enum DmaDirection {
  /// The device reads it.
  TO_DEVICE(true, false),
  /// The device writes it.
  FROM_DEVICE(false, true),
  /// Both.
  BIDIRECTIONAL(true, true);

  private final boolean readable;
  private final boolean writable;

  DmaDirection(boolean readable, boolean writable) {
    this.readable = readable;
    this.writable = writable;
  }

  /// Whether the device may read.
  public boolean readable() {
    return readable;
  }

  /// Whether the device may write.
  public boolean writable() {
    return writable;
  }
}
