package dev.sluice.iommu;

/// A PCI requester id: the 16 bits by which a request names the function that made it.
///
/// ```
///  15            8 7        3 2      0
/// +---------------+----------+--------+
/// |      bus      |  device  |function|
/// +---------------+----------+--------+
/// ```
///
/// @param value 0 to 0xFFFF
public record RequesterId(int value) {
  /// Checks the range.
  public RequesterId {
    if (value < 0 || value > 0xFFFF) {
      throw new IllegalArgumentException("requester id must have 16 bits: " + value);
    }
  }

  /// The id of a function by its place.
  ///
  /// @param bus 0 to 255
  /// @param device 0 to 31
  /// @param function 0 to 7
  public static RequesterId of(int bus, int device, int function) {
    if (bus < 0 || bus > 255 || device < 0 || device > 31 || function < 0 || function > 7) {
      throw new IllegalArgumentException(
          "no such PCI function: bus " + bus + ", device " + device + ", function " + function);
    }
    return new RequesterId((bus << 8) | (device << 3) | function);
  }

  /// Bus number, 0 to 255.
  public int bus() {
    return value >>> 8;
  }

  /// Device number, 0 to 31.
  public int device() {
    return (value >>> 3) & 0x1F;
  }

  /// Function number, 0 to 7.
  public int function() {
    return value & 7;
  }

  /// As Linux and lspci write it: `00:05.0`.
  @Override
  public String toString() {
    return "%02x:%02x.%d".formatted(bus(), device(), function());
  }
}
