package dev.sluice.pci;

/// How long a thread that serves a guest, and has nothing left to do, goes on looking before it
/// sleeps.
///
/// To wake it costs the guest more than the work: an exit for a doorbell, a message, the wake-ups
/// of one or two threads. So it pays to look on for about as long as the guest has lately taken to
/// come back. It does not pay
/// - where that is long, as with an idle guest: after a few long gaps nobody lingers any more;
/// - where the host has more to run than processors: a thread that looks on has used its share of
///   the processor up when there is something to see, and one that slept is served at once.
///
/// Used by one thread at a time; an update that is lost between two is no loss.
public final class Linger {
  /// The longest time of looking on, and the longest gap that lets it grow, in nanoseconds. The
  /// turnaround of a guest on an emulated processor is 50 to 150 us.
  public static final long LONGEST_NANOS = 200_000;

  private static final long SHORTEST_NANOS = 10_000;

  /// A pause that takes longer gave the processor to somebody with much to do: the threads that
  /// serve a guest give it back within some 10 us, others keep it for milliseconds.
  private static final long CROWDED_NANOS = 150_000;

  /// For how long a crowded host is left alone.
  private static final long RETREAT_NANOS = 20_000_000;

  private long window;
  private long idleSince;
  private long retreatSince;
  private boolean idle;
  private boolean retreated;

  /// Nobody lingers yet.
  public Linger() {}

  /// Something was found.
  ///
  /// @param now nanoseconds, of the same clock as for [#isWorthwhile]
  public void found(long now) {
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
  /// @return whether to look again, after a [#pause()]
  public boolean isWorthwhile(long now) {
    if (!idle) {
      idle = true;
      idleSince = now;
    }
    if (retreated && now - retreatSince >= RETREAT_NANOS) {
      retreated = false;
    }
    return !retreated && now - idleSince < window;
  }

  /// Lets others have the processor between two looks.
  @SuppressWarnings("ThreadPriorityCheck") // Only a courtesy: nothing relies on it.
  public void pause() {
    long before = System.nanoTime();
    Thread.yield();
    paused(before, System.nanoTime());
  }

  /// A pause was taken.
  void paused(long from, long to) {
    if (to - from > CROWDED_NANOS) {
      retreated = true;
      retreatSince = to;
    }
  }
}
