package dev.sluice.pci.nvme;

/// How long I/O commands take of late beyond the copy of their data: a moving average over about
/// eight.
///
/// Commands that find their blocks in the host's page cache take microseconds, less than to wake a
/// thread for the next one; those that wait for a disk take so much longer that every thread should
/// have one.
///
/// Any thread may add and ask; an update that is lost to another thread's is no loss.
final class Pace {
  /// From here on waking a thread is the cheaper way. A wake-up costs 5 to 50 us on a busy host.
  private static final long SLOW_NANOS = 50_000;

  /// What a copy out of the page cache takes at worst: 2 GB/s.
  private static final long NANOS_PER_KIBIBYTE = 512;

  private static final int WEIGHT = 8;

  private volatile long average;

  /// A command that moved `bytes` took `nanos`.
  void add(long nanos, long bytes) {
    // A single hiccup of the host, of which a busy one has many, counts as no more than four times
    // the limit; a disk is slow each time.
    long beyond = Math.max(0, nanos - bytes / 1024 * NANOS_PER_KIBIBYTE);
    long seen = Math.min(beyond, 4 * SLOW_NANOS);
    long before = average;
    average = before + (seen - before) / WEIGHT;
  }

  /// Whether a command is better executed beside the others than before them.
  boolean isSlow() {
    return average >= SLOW_NANOS;
  }
}
