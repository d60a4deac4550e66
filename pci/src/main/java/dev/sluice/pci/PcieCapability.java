package dev.sluice.pci;

/// PCI Express capability of a root complex integrated endpoint or of an endpoint (PCIe 7.5.3),
/// version 2.
///
/// ```
///  00h |  PCIe capabilities: type, version |  next  |  id 10h  |
///  04h |  device capabilities                                  |
///  08h |  device status          |  device control             |
///  0Ch |  link capabilities (endpoint only)                    |
///  10h |  link status            |  link control               |
///  24h |  device capabilities 2                                |
///  28h |  device status 2        |  device control 2           |
/// ```
public final class PcieCapability implements Capability {
  private static final int VERSION_2 = 2;
  private static final int ROLE_BASED_ERRORS = 1 << 15;
  private static final int ENABLE_RELAXED_ORDERING = 1 << 4;
  private static final int ENABLE_NO_SNOOP = 1 << 11;
  private static final int READ_REQUEST_512 = 2 << 12;

  /// Error reporting enables, relaxed ordering, payload size, extended tags, no-snoop, read request
  /// size.
  private static final int DEVICE_CONTROL_WRITABLE = 0x79ff;

  private static final int LINK_2_5_GT_X1 = 1 << 4 | 1;

  private final Type type;

  /// Where in the fabric the function stands.
  public enum Type {
    /// An endpoint below a port, with a link.
    ENDPOINT(0),
    /// An endpoint on the root bus, without a link.
    ROOT_COMPLEX_INTEGRATED_ENDPOINT(9);

    private final int code;

    Type(int code) {
      this.code = code;
    }
  }

  /// A capability of an endpoint of `type`.
  public PcieCapability(Type type) {
    this.type = type;
  }

  @Override
  public int id() {
    return 0x10;
  }

  @Override
  public int length() {
    return 0x3c;
  }

  @Override
  public void layOut(ConfigImage image, CapabilityRegisters at) {
    image.constant(0x02, 2, type.code << 4 | VERSION_2);
    image.constant(0x04, 4, ROLE_BASED_ERRORS);
    image.register(
        0x08,
        2,
        ENABLE_RELAXED_ORDERING | ENABLE_NO_SNOOP | READ_REQUEST_512,
        DEVICE_CONTROL_WRITABLE);
    if (type == Type.ENDPOINT) {
      image.constant(0x0c, 4, LINK_2_5_GT_X1);
      image.constant(0x12, 2, LINK_2_5_GT_X1);
    }
  }
}
