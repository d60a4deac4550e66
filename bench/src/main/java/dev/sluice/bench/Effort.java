package dev.sluice.bench;

/// How long everything runs.
///
/// @param forks processes of a job: the compiler does not always come to the same code
/// @param warmups iterations of a fork that do not count
/// @param warmupMillis of each
/// @param iterations of a fork that count
/// @param millis of each
/// @param samples of a comparator, before a job and again after it
/// @param sampleMillis of each
record Effort(
    int forks,
    int warmups,
    int warmupMillis,
    int iterations,
    int millis,
    int samples,
    int sampleMillis) {

  /// The whole table in about ten minutes.
  static final Effort FULL = new Effort(3, 5, 300, 10, 150, 10, 20);

  /// The whole table in about two minutes.
  static final Effort QUICK = new Effort(1, 5, 150, 10, 60, 5, 10);
}
