package dev.sluice.pci.nvme;

/// How long a worker that has nothing left to do goes on looking before it sleeps.
///
/// Waking up costs the guest a doorbell write, with its exit, and two threads' wake-ups. So it pays
/// to look on for about as long as the guest has lately taken to come back. Where that is long, as
/// with an idle guest, it does not pay at all, and soon nobody lingers any more.
///
/// Used by one thread at a time.
final class Linger {
  /// The longest time of looking on, and the longest gap that lets it grow. A guest's turnaround
  /// under an emulated processor is 50 to 150 us.
  static final long LONGEST_NANOS = 200_000;

  private static final long SHORTEST_NANOS = 10_000;

  private long window;
  private long idleSince;
  private boolean idle;

  /// Something was found.
  ///
  /// @param now nanoseconds, of the same clock as for [#isWorthwhile]
  void found(long now) {
    if (!idle) {
      return;
    }
    idle = false;
    long gap = now - idleSince;
    if (gap <= LONGEST_NANOS) {
      window = Math.max(window, Math.clamp(2 * gap, SHORTEST_NANOS, LONGEST_NANOS));
    } else {
      window = window / 2 < SHORTEST_NANOS ? 0 : window / 2;
    }
  }

  /// Nothing was found.
  ///
  /// @return whether to look again
  boolean isWorthwhile(long now) {
    if (!idle) {
      idle = true;
      idleSince = now;
    }
    return now - idleSince < window;
  }
}
