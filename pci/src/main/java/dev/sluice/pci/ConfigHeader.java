package dev.sluice.pci;

/// The type 0 header (PCIe 7.5.1.2).
///
/// ```
///       31            24 23            16 15             8 7              0
/// 0x00 |           device ID            |           vendor ID             |
/// 0x04 |             status             |            command              |
/// 0x08 |                  class code                     |    revision    |
/// 0x0C |      BIST      |  header type   | latency timer  | cache line     |
/// 0x10 |                   base address registers 0 to 5                  |
/// 0x28 |                            reserved                              |
/// 0x2C |           subsystem            |        subsystem vendor         |
/// 0x30 |                 expansion ROM base address: none                 |
/// 0x34 |                    reserved                     | capabilities   |
/// 0x3C |    max_lat     |    min_gnt     |      pin       | interrupt line |
/// ```
final class ConfigHeader {
  static final int BAR0 = 0x10;
  static final int CAPABILITIES_POINTER = 0x34;
  static final int INTERRUPT_PIN = 0x3d;

  private static final int STATUS_CAPABILITIES_LIST = 1 << 4;

  private ConfigHeader() {}

  static void layOut(ConfigImage image, ConfigSpace.Builder function) {
    image.constant(0x00, 2, function.vendor);
    image.constant(0x02, 2, function.device);
    image.register(Command.OFFSET, 2, 0, Command.WRITABLE);
    image.constant(0x06, 2, STATUS_CAPABILITIES_LIST);
    image.constant(0x08, 4, function.classCode << 8 | function.revision);
    image.register(0x0c, 1, 0, 0xff);
    image.constant(0x2c, 2, function.subsystemVendor);
    image.constant(0x2e, 2, function.subsystem);
    image.register(0x3c, 1, 0, 0xff);
    image.constant(INTERRUPT_PIN, 1, function.interruptPin);
    function.bars.forEach(bar -> layOut(image, bar));
  }

  private static void layOut(ConfigImage image, Bar bar) {
    int offset = BAR0 + 4 * bar.index();
    long mask = -bar.size();
    image.register(offset, 4, bar.typeBits(), (int) mask);
    if (bar.kind() == Bar.Kind.MEMORY_64) {
      image.register(offset + 4, 4, 0, (int) (mask >>> 32));
    }
  }
}
