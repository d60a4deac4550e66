package dev.sluice.vm.kit.linux;

import java.time.Duration;
import java.util.Locale;

/// One access of the guest's script to BAR 0 of the test device. A list of them is how the host
/// tells the guest to start a DMA without the guest knowing the device.
public sealed interface RegisterStep {
  /// Width of the access in bits.
  int width();

  /// Byte offset in BAR 0, naturally aligned.
  int offset();

  /// The line of `/sluice/test-device.regs`.
  String line();

  /// Stores `value`.
  record Write(int width, int offset, long value) implements RegisterStep {
    /// @throws IllegalArgumentException if the width is not 8, 16, 32 or 64 or the offset is not
    ///   aligned
    public Write {
      checkAccess(width, offset);
    }

    @Override
    public String line() {
      return String.format(Locale.ROOT, "write %d 0x%x 0x%x", width, offset, value);
    }
  }

  /// Loads until `(value & mask) == wanted`, for at most `limit`; otherwise the test device's check
  /// fails with the last value.
  record Poll(int width, int offset, long mask, long wanted, Duration limit)
      implements RegisterStep {
    /// @throws IllegalArgumentException if the width is not 8, 16, 32 or 64, the offset is not
    ///   aligned, or `wanted` has bits outside `mask`
    public Poll {
      checkAccess(width, offset);
      if ((wanted & ~mask) != 0) {
        throw new IllegalArgumentException("a wanted value outside the mask can never be read");
      }
    }

    @Override
    public String line() {
      return String.format(
          Locale.ROOT, "poll %d 0x%x 0x%x 0x%x %d", width, offset, mask, wanted, limit.toMillis());
    }
  }

  private static void checkAccess(int width, int offset) {
    if (width != 8 && width != 16 && width != 32 && width != 64) {
      throw new IllegalArgumentException("width of " + width + " bits");
    }
    if (offset < 0 || offset % (width / 8) != 0) {
      throw new IllegalArgumentException("offset " + offset + " with " + width + " bits");
    }
  }
}
