package dev.sluice.bench;

/// Which number of an iteration counts.
enum Statistic {
  /// Its time through its operations.
  MEAN,
  /// The time that half of its sampled operations took at most.
  MEDIAN,
  /// The time that 99 % of its sampled operations took at most.
  PERCENTILE_99
}
