package dev.sluice.pci;

/// Message signalled interrupts with a 64-bit address and without per-vector masking (PCI 6.8.1).
///
/// ```
///  00h |  message control  |  next  |  id 05h  |
///  04h |  message address                      |
///  08h |  message upper address                |
///  0Ch |  reserved         |  message data     |
///
///  message control:  7 = 64-bit, 6:4 = log2 of the vectors in use, 3:1 = log2 of the vectors asked for, 0 = enable
/// ```
public final class MsiCapability implements Capability {
  private static final int MAX_VECTORS = 32;
  private static final int ENABLE = 1;
  private static final int IN_USE = 0b111 << 4;
  private static final int ADDRESS_64 = 1 << 7;

  private final int vectors;

  /// A capability that asks for `vectors` vectors.
  ///
  /// @param vectors a power of two from 1 to 32
  public MsiCapability(int vectors) {
    if (Integer.bitCount(vectors) != 1 || vectors < 1 || vectors > MAX_VECTORS) {
      throw new IllegalArgumentException(vectors + " is not a power of two in 1.." + MAX_VECTORS);
    }
    this.vectors = vectors;
  }

  /// How many vectors the function asks for.
  public int vectors() {
    return vectors;
  }

  @Override
  public int id() {
    return 0x05;
  }

  @Override
  public int length() {
    return 0x0e;
  }

  @Override
  public void layOut(ConfigImage image, CapabilityRegisters at) {
    image.register(
        0x02, 2, ADDRESS_64 | Integer.numberOfTrailingZeros(vectors) << 1, ENABLE | IN_USE);
    image.register(0x04, 4, 0, ~3);
    image.register(0x08, 4, 0, ~0);
    image.register(0x0c, 2, 0, 0xffff);
  }
}
