package dev.sluice.pci.nvme;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// The SMART / Health Information log (NVMe 1.4, 5.14.1.2): a controller that does not wear and is
/// always as warm as a room.
final class HealthLog {
  /// The composite temperature in kelvin.
  static final int TEMPERATURE = 300;

  /// WCTEMP, the default of the over temperature threshold: 70 °C.
  static final int WARNING_TEMPERATURE = 343;

  /// CCTEMP: 100 °C.
  static final int CRITICAL_TEMPERATURE = 373;

  /// The critical warning that the temperature is beyond a threshold.
  static final int TEMPERATURE_WARNING = 1 << 1;

  private static final int SIZE = 512;
  private static final int SPARE_PERCENT = 100;
  private static final int SPARE_THRESHOLD_PERCENT = 10;
  private static final long DATA_UNIT = 512 * 1000;

  private HealthLog() {}

  /// The critical warnings under these thresholds.
  static int criticalWarnings(Features features) {
    return features.beyondThreshold(TEMPERATURE) ? TEMPERATURE_WARNING : 0;
  }

  static byte[] page(Counters counters, ErrorLog errors, Features features) {
    NvmeStatistics now = counters.snapshot();
    byte[] bytes = new byte[SIZE];
    ByteBuffer at = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    at.put(0, (byte) criticalWarnings(features));
    at.putShort(1, (short) TEMPERATURE);
    at.put(3, (byte) SPARE_PERCENT);
    at.put(4, (byte) SPARE_THRESHOLD_PERCENT);
    at.putLong(32, units(now.bytesRead()));
    at.putLong(48, units(now.bytesWritten()));
    at.putLong(64, now.reads());
    at.putLong(80, now.writes());
    at.putLong(112, 1);
    at.putLong(160, counters.mediaErrors());
    at.putLong(176, errors.count());
    return bytes;
  }

  /// Thousands of units of 512 bytes, rounded up.
  private static long units(long bytes) {
    return Math.ceilDiv(bytes, DATA_UNIT);
  }
}
