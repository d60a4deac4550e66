package dev.sluice.pci.nvme;

/// CC, how the guest wants the controller (NVMe 1.4, 3.1.5).
///
/// ```
///  31       24 23    20 19    16 15 14 13  11 10     7 6    4 3    1   0
/// +-----------+--------+--------+-----+------+--------+------+------+----+
/// |           | IOCQES | IOSQES | SHN | AMS  |  MPS   | CSS  |      | EN |
/// +-----------+--------+--------+-----+------+--------+------+------+----+
/// ```
///
/// @param bits the register
record ControllerConfiguration(int bits) {
  private static final int WRITABLE = 0x00ff_fff1;
  private static final int ENABLE = 1;

  /// A register with nothing set, as after reset.
  static final ControllerConfiguration RESET = new ControllerConfiguration(0);

  /// The register after software wrote `bits`: reserved bits stay 0.
  static ControllerConfiguration written(int bits) {
    return new ControllerConfiguration(bits & WRITABLE);
  }

  /// EN: process commands.
  boolean enabled() {
    return (bits & ENABLE) != 0;
  }

  /// SHN: software announces that power is going to go.
  boolean shutdownRequested() {
    return (bits >>> 14 & 0b11) != 0;
  }

  /// MPS as log2 of bytes.
  int pageShift() {
    return 12 + (bits >>> 7 & 0xf);
  }

  /// IOSQES: log2 of the bytes of an I/O submission entry.
  int submissionEntryShift() {
    return bits >>> 16 & 0xf;
  }

  /// IOCQES: log2 of the bytes of an I/O completion entry.
  int completionEntryShift() {
    return bits >>> 20 & 0xf;
  }

  /// Whether the controller can be enabled like this: the NVM command set, round robin, a page size
  /// within CAP's bounds.
  boolean supported() {
    int commandSet = bits >>> 4 & 0b111;
    int arbitration = bits >>> 11 & 0b111;
    return commandSet == 0
        && arbitration == 0
        && pageShift() <= ControllerCapabilities.MAX_PAGE_SHIFT;
  }
}
