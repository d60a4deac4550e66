package dev.sluice.models.vtd;

/// The knobs of a VT-d unit. What it can do besides is fixed and reported in its capability
/// registers.
///
/// @param hostAddressWidth bits of a guest-physical address, 39 to 52; address bits above it are
///   reserved in every table. The DMAR table must report the same. Default 48
/// @param faultRecordingRegisters how many faults can be pending before further ones are lost and
///   reported as overflow, 1 to 64. Default 8
/// @param cachingMode whether pages and context entries that are not present are remembered too, so
///   that the guest has to invalidate after *adding* a mapping as well (CAP.CM, section 6.1).
///   Default false
public record VtdConfig(int hostAddressWidth, int faultRecordingRegisters, boolean cachingMode) {

  /// Every knob at its default.
  public static final VtdConfig DEFAULT = new VtdConfig(48, 8, false);

  /// Checks the ranges.
  public VtdConfig {
    if (hostAddressWidth < 39 || hostAddressWidth > 52) {
      throw new IllegalArgumentException(
          "host address width must be 39 to 52 bits: " + hostAddressWidth);
    }
    if (faultRecordingRegisters < 1 || faultRecordingRegisters > 64) {
      throw new IllegalArgumentException(
          "there are 1 to 64 fault recording registers, not " + faultRecordingRegisters);
    }
  }

  /// The same with another width of guest-physical addresses.
  public VtdConfig withHostAddressWidth(int bits) {
    return new VtdConfig(bits, faultRecordingRegisters, cachingMode);
  }

  /// The same with another number of fault recording registers.
  public VtdConfig withFaultRecordingRegisters(int count) {
    return new VtdConfig(hostAddressWidth, count, cachingMode);
  }

  /// The same with caching mode on or off.
  public VtdConfig withCachingMode(boolean on) {
    return new VtdConfig(hostAddressWidth, faultRecordingRegisters, on);
  }

  /// The bits of a guest-physical address that a table entry may set, from bit 12 up.
  long addressMask() {
    return ((1L << hostAddressWidth) - 1) & ~0xFFFL;
  }
}
