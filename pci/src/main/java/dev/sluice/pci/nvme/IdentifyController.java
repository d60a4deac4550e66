package dev.sluice.pci.nvme;

import dev.sluice.pci.DeviceIds;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// The Identify Controller data structure (NVMe 1.4, figure 247): 4096 bytes, of which those that
/// are not 0 are set here.
final class IdentifyController {
  /// Bytes.
  static final int SIZE = 4096;

  private static final String MODEL = "Sluice NVMe controller";
  private static final String FIRMWARE = "1.0";

  private static final int TYPE_IO_CONTROLLER = 1;
  private static final int NOTICE_NAMESPACE_ATTRIBUTES = 1 << 8;
  private static final int DOORBELL_BUFFERS = 1 << 8;
  private static final int LOG_COMMAND_EFFECTS = 1 << 1;
  private static final int LOG_EXTENDED_DATA = 1 << 2;
  private static final int ONE_READ_ONLY_SLOT = 1 << 1 | 1;
  private static final int COMPARE = 1;
  private static final int DATASET_MANAGEMENT = 1 << 2;
  private static final int WRITE_ZEROES = 1 << 3;
  private static final int SELECT_OF_FEATURES = 1 << 4;
  private static final int TIMESTAMP = 1 << 6;
  private static final int CACHE_PRESENT = 1;
  private static final int FLUSH_OF_ALL_NAMESPACES = 0b11 << 1;
  private static final int SGLS_OF_ANY_ALIGNMENT = 1;

  private IdentifyController() {}

  static byte[] of(NvmeConfig config) {
    byte[] bytes = new byte[SIZE];
    ByteBuffer at = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    at.putShort(0, (short) DeviceIds.VENDOR);
    at.putShort(2, (short) DeviceIds.VENDOR);
    ascii(at, 4, 20, config.serial());
    ascii(at, 24, 40, MODEL);
    firmwareRevision(at, 64);
    at.put(77, (byte) DataPointer.MDTS);
    at.putInt(80, ControllerRegisters.VERSION);
    at.putInt(92, NOTICE_NAMESPACE_ATTRIBUTES);
    at.put(111, (byte) TYPE_IO_CONTROLLER);
    at.putShort(256, (short) DOORBELL_BUFFERS);
    // Abort commands are executed one at a time; 3 means 4, what the specification recommends.
    at.put(258, (byte) 3);
    at.put(259, (byte) (AsyncEvents.LIMIT - 1));
    at.put(260, (byte) ONE_READ_ONLY_SLOT);
    at.put(261, (byte) (LOG_COMMAND_EFFECTS | LOG_EXTENDED_DATA));
    at.put(262, (byte) (ErrorLog.ENTRIES - 1));
    at.putShort(266, (short) HealthLog.WARNING_TEMPERATURE);
    at.putShort(268, (short) HealthLog.CRITICAL_TEMPERATURE);
    at.put(512, (byte) (SubmissionEntry.SHIFT << 4 | SubmissionEntry.SHIFT));
    at.put(513, (byte) (CompletionEntry.SHIFT << 4 | CompletionEntry.SHIFT));
    at.putInt(516, Namespace.ID);
    at.putShort(
        520,
        (short) (COMPARE | DATASET_MANAGEMENT | WRITE_ZEROES | SELECT_OF_FEATURES | TIMESTAMP));
    at.put(525, (byte) (CACHE_PRESENT | FLUSH_OF_ALL_NAMESPACES));
    at.putInt(536, SGLS_OF_ANY_ALIGNMENT);
    byte[] name =
        ("nqn.2014-08.org.nvmexpress:uuid:" + config.uuid()).getBytes(StandardCharsets.US_ASCII);
    at.put(768, name);
    return bytes;
  }

  /// The eight characters of the firmware's revision.
  static void firmwareRevision(ByteBuffer at, int offset) {
    ascii(at, offset, 8, FIRMWARE);
  }

  /// Text, padded with spaces.
  private static void ascii(ByteBuffer at, int offset, int length, String text) {
    byte[] padded = (text + " ".repeat(length - text.length())).getBytes(StandardCharsets.US_ASCII);
    at.put(offset, padded);
  }
}
