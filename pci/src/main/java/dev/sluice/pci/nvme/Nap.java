package dev.sluice.pci.nvme;

/// How long the server may sleep between two looks at its queues, or keep a result to itself.
///
/// A guest that has many commands under way is busy for a while with what it has: with the results
/// that it was told of, and with its next commands. To look on all that time costs it a part of its
/// processors, and each command that is seen at once has a round of its own: a fetch, a result, an
/// interrupt, a doorbell. A sleep lets the commands come together, and costs nothing as long as the
/// guest does not run dry: so it is a third of the time in which the guest, as fast as of late,
/// goes through what it has under way. A guest with one command at a time waits for each of them,
/// and nobody sleeps.
///
/// Used by one thread at a time; an update that is lost between two is no loss.
final class Nap {
  /// The longest sleep. Linux wakes a thread up to 50 us later than it asked for.
  static final long LONGEST_NANOS = 600_000;

  /// A shorter one costs more than it saves.
  static final long SHORTEST_NANOS = 50_000;

  /// What part of the guest's work a sleep may take.
  private static final int SHARE = 3;

  /// With fewer commands under way, on average, the guest waits for one of them.
  private static final double FEWEST = 2;

  /// What counts of a time without commands.
  private static final long LONGEST_ROUND_NANOS = 1_000_000;

  private static final double WEIGHT = 0.125;

  private double underWay;
  private double commandNanos;
  private long roundSince;
  private int commands;

  /// Nobody sleeps yet.
  Nap() {}

  /// A command was fetched.
  void fetched() {
    commands++;
  }

  /// The first command was found after a look that found none, and is not fetched yet.
  ///
  /// @param now nanoseconds
  /// @param found commands that the guest has under way: not fetched yet, or with results that it
  ///   has not taken out; 1 or more
  void found(long now, int found) {
    long round = Math.min(now - roundSince, LONGEST_ROUND_NANOS);
    if (commands > 0) {
      commandNanos += WEIGHT * ((double) round / commands - commandNanos);
    }
    underWay += WEIGHT * (found - underWay);
    roundSince = now;
    commands = 0;
  }

  /// How long the guest may be left alone, in nanoseconds; 0 for not at all.
  long nanos() {
    long nanos = (long) (underWay * commandNanos / SHARE);
    return underWay < FEWEST || nanos < SHORTEST_NANOS ? 0 : Math.min(nanos, LONGEST_NANOS);
  }
}
