package dev.sluice.memory;

/// The direction of a device's access, seen from memory: a device that *reads* takes bytes out of
/// guest memory.
public enum Access {
  /// Bytes move from guest memory to the device.
  READ(1),
  /// Bytes move from the device to guest memory.
  WRITE(2),
  /// Both, as an atomic operation or a mapping that is read and written needs it.
  READ_WRITE(3);

  private final int rights;

  Access(int rights) {
    this.rights = rights;
  }

  /// What it needs: bit 0 to read, bit 1 to write, as page-table entries of many architectures have
  /// them.
  public int rights() {
    return rights;
  }

  /// Whether bytes move from guest memory to the device.
  public boolean reads() {
    return this != WRITE;
  }

  /// Whether bytes move from the device to guest memory.
  public boolean writes() {
    return this != READ;
  }
}
