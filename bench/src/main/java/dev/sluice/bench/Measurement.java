package dev.sluice.bench;

import java.util.List;

/// A row of the table before it is measured.
///
/// @param name for people, unique
/// @param job what runs
/// @param statistic which of its numbers
/// @param comparisons with what, one or more
record Measurement(String name, Job job, Statistic statistic, List<Comparison> comparisons) {

  Measurement {
    comparisons = List.copyOf(comparisons);
  }

  static Measurement of(String name, Job job, Comparison... comparisons) {
    return new Measurement(name, job, Statistic.MEAN, List.of(comparisons));
  }

  static Measurement of(String name, Job job, Statistic statistic, Comparison... comparisons) {
    return new Measurement(name, job, statistic, List.of(comparisons));
  }
}
