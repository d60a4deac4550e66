package dev.sluice.vm.kit.qemu;

import java.time.Duration;

/// How long a QEMU may run, and how long it may say nothing on its serial ports, before it is taken
/// to hang and killed.
///
/// @param deadline from its start
/// @param silence since the last byte of the console or of the report
public record QemuLimits(Duration deadline, Duration silence) {
  private static final Duration FOREVER = Duration.ofDays(365);

  /// No limits: for a guest with a user in front of it.
  public static final QemuLimits NONE = new QemuLimits(FOREVER, FOREVER);

  /// For a guest that runs its checks by itself: five minutes in all, one minute without a word.
  /// NVMe's own timeout is 30 s and ends in a message, so a guest that waits for a command speaks
  /// before.
  public static final QemuLimits CHECKS =
      new QemuLimits(Duration.ofMinutes(5), Duration.ofMinutes(1));

  /// @throws IllegalArgumentException if one is not positive
  public QemuLimits {
    if (!deadline.isPositive() || !silence.isPositive()) {
      throw new IllegalArgumentException("deadline " + deadline + ", silence " + silence);
    }
  }
}
