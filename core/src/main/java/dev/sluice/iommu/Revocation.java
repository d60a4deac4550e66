package dev.sluice.iommu;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// How long a device may keep an invalidation, or the removal of memory, waiting for a mapping
/// before the mapping is taken away.
///
/// @param patience null: for ever; zero: not at all; else at most a year
public record Revocation(@Nullable Duration patience) {
  // Before the first policy is made, which is checked against it.
  private static final Duration LONGEST = Duration.ofDays(366);

  /// QEMU gives up on an answer after 5 s; this leaves it time to arrive.
  public static final Revocation DEFAULT = after(Duration.ofSeconds(2));

  /// Refuses a negative patience, and one that a clock's nanoseconds may not hold.
  public Revocation {
    if (patience != null && patience.isNegative()) {
      throw new IllegalArgumentException("patience must not be negative: " + patience);
    }
    if (patience != null && patience.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException(
          "patience of more than a year: " + patience + "; for ever is never()");
    }
  }

  /// The invalidation waits for as long as it takes.
  public static Revocation never() {
    return new Revocation(null);
  }

  /// The mapping is taken away at the deadline.
  public static Revocation after(Duration patience) {
    return new Revocation(patience);
  }

  /// The mapping is taken away at once.
  public static Revocation immediately() {
    return new Revocation(Duration.ZERO);
  }
}
