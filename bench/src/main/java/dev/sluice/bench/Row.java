package dev.sluice.bench;

/// A line of the result.
///
/// @param name what was measured, with its parameter
/// @param unit of score and error
/// @param score the mean
/// @param error half of the 99.9 % confidence interval
/// @param comparedTo the other's name, or empty
/// @param ratio score through the other's score, or NaN
/// @param bytesPerOp bytes allocated by one operation
record Row(
    String name,
    String unit,
    double score,
    double error,
    String comparedTo,
    double ratio,
    double bytesPerOp) {}
