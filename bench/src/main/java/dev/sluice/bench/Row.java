package dev.sluice.bench;

import org.jspecify.annotations.Nullable;

/// A measured row beside one thing it is compared with.
///
/// @param name what was measured
/// @param score nanoseconds of an operation
/// @param bytesPerOp bytes that an operation allocates, NaN for C
/// @param comparedTo the other's name, or empty
/// @param other nanoseconds of the other's operation, NaN if there is none
/// @param ratio the row's time through the other's, or with several threads their throughput
///   through the other's; NaN if there is no other
/// @param target what should be reached, or null
record Row(
    String name,
    Score score,
    double bytesPerOp,
    String comparedTo,
    double other,
    double ratio,
    @Nullable Target target) {

  static final String UNIT = "ns/op";

  /// A row of C's own.
  static Row ofC(String name, Score score) {
    return new Row(name, score, Double.NaN, "", Double.NaN, Double.NaN, null);
  }

  /// Whether it is a row of C's own.
  boolean isC() {
    return Double.isNaN(bytesPerOp);
  }

  /// Whether the target is reached; null where there is none, or what it needs was not measured.
  @Nullable Boolean met() {
    if (target == null || (Double.isNaN(ratio) && !(target instanceof Target.Within))) {
      return null;
    }
    return target.met(score.value(), ratio);
  }
}
