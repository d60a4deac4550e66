package dev.sluice.memory;

/// The direction of a device's access, seen from memory: a device that *reads* takes bytes out of
/// guest memory.
public enum Access {
  /// Bytes move from guest memory to the device.
  READ,
  /// Bytes move from the device to guest memory.
  WRITE,
  /// Both, as an atomic operation or a mapping that is read and written needs it.
  READ_WRITE;

  /// Whether bytes move from guest memory to the device.
  public boolean reads() {
    return this != WRITE;
  }

  /// Whether bytes move from the device to guest memory.
  public boolean writes() {
    return this != READ;
  }
}
