package dev.sluice.bench;

import java.util.Arrays;
import java.util.Collection;

/// A number out of samples that a busy machine has disturbed.
///
/// @param value the median
/// @param error half of the distance between the quartiles: half of the samples are as near as that
///   to the middle of the two
record Score(double value, double error) {

  /// Of samples in any order, one or more.
  static Score of(double... samples) {
    if (samples.length == 0) {
      throw new IllegalArgumentException("no samples");
    }
    double[] sorted = samples.clone();
    Arrays.sort(sorted);
    return new Score(quantile(sorted, 0.5), (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2);
  }

  /// Of samples in any order, one or more.
  static Score of(Collection<Double> samples) {
    return of(samples.stream().mapToDouble(Double::doubleValue).toArray());
  }

  /// Between two samples, in proportion.
  private static double quantile(double[] sorted, double q) {
    double place = q * (sorted.length - 1);
    int below = (int) place;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }
}
