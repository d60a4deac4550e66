package dev.sluice.vm;

import dev.sluice.vm.kit.linux.RegisterStep;
import java.time.Duration;
import java.util.List;

/// The register accesses by which a guest makes the test device do one DMA.
///
/// The offsets stand here again, as a driver would have them, and not as the device's own names: a
/// register that moves must break a boot. `docs/devices.md` describes them.
final class TestDeviceSteps {
  private static final int WIDTH = 32;
  private static final int STATUS = 0x04;
  private static final int CONTROL = 0x08;
  private static final int OPERATION = 0x0C;
  private static final int IOVA_LOW = 0x10;
  private static final int IOVA_HIGH = 0x14;
  private static final int LENGTH = 0x18;
  private static final int COUNT = 0x1C;
  private static final int HOLD = 0x24;
  private static final int SEED = 0x28;
  private static final int VECTOR = 0x2C;

  private static final long OPERATION_WRITE = 2;
  private static final long START = 1;
  private static final long STATUS_DONE = 2;
  private static final long NO_VECTOR = 0xFFFF_FFFFL;
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private TestDeviceSteps() {}

  /// Writes a pattern of `bytes` bytes to `iova`, and waits until the device has ended, well or
  /// not.
  static List<RegisterStep> write(long iova, int bytes) {
    return List.of(
        set(OPERATION, OPERATION_WRITE),
        set(IOVA_LOW, iova & 0xFFFF_FFFFL),
        set(IOVA_HIGH, iova >>> 32),
        set(LENGTH, bytes),
        set(COUNT, 1),
        set(HOLD, 0),
        set(SEED, 1),
        set(VECTOR, NO_VECTOR),
        set(CONTROL, START),
        new RegisterStep.Poll(WIDTH, STATUS, STATUS_DONE, STATUS_DONE, PATIENCE));
  }

  private static RegisterStep set(int register, long value) {
    return new RegisterStep.Write(WIDTH, register, value);
  }
}
