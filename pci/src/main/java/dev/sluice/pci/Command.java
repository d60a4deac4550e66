package dev.sluice.pci;

/// The COMMAND register (PCIe 7.5.1.1.3).
///
/// ```
///  15        11 10   9  8    7 6    5      3   2    1     0
/// +------------+----+--+----+-+----+--------+----+-----+----+
/// | reserved   |INTx|  |SERR| |PERR|        | BM | MEM | IO |
/// |            |off |  |    | |    |        |    |     |    |
/// +------------+----+--+----+-+----+--------+----+-----+----+
/// ```
///
/// @param bits the 16 bits of the register
public record Command(int bits) {
  static final int OFFSET = 0x04;
  static final int IO_SPACE = 1;
  static final int MEMORY_SPACE = 1 << 1;
  static final int BUS_MASTER = 1 << 2;
  private static final int PARITY_RESPONSE = 1 << 6;
  private static final int SERR = 1 << 8;
  private static final int INTX_DISABLE = 1 << 10;

  /// The bits that software may change in an endpoint.
  static final int WRITABLE =
      IO_SPACE | MEMORY_SPACE | BUS_MASTER | PARITY_RESPONSE | SERR | INTX_DISABLE;

  /// Whether the function answers accesses to its I/O BARs.
  public boolean ioSpace() {
    return (bits & IO_SPACE) != 0;
  }

  /// Whether the function answers accesses to its memory BARs.
  public boolean memorySpace() {
    return (bits & MEMORY_SPACE) != 0;
  }

  /// Whether the function may issue memory requests: direct memory access and message interrupts.
  public boolean busMaster() {
    return (bits & BUS_MASTER) != 0;
  }

  /// Whether the function must not assert its interrupt pin.
  public boolean intxDisabled() {
    return (bits & INTX_DISABLE) != 0;
  }
}
