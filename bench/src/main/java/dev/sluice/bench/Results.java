package dev.sluice.bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What has been measured so far, and the rows that it makes.
final class Results {
  private record Measured(Score score, double bytesPerOp) {}

  private record Beside(String measurement, CRow row) {}

  private final Map<String, Measured> own = new HashMap<>();
  private final Map<CRow, List<Double>> inC = new LinkedHashMap<>();
  private final Map<Beside, List<Double>> besides = new HashMap<>();

  /// A measurement's own number.
  void add(Measurement measurement, Score score, double bytesPerOp) {
    own.put(measurement.name(), new Measured(score, bytesPerOp));
  }

  /// Samples in C, taken right before or after a measurement: a busy machine has slowed both or
  /// neither, so the ratio of the two is made of these alone.
  void add(Measurement measurement, CRow row, List<Double> samples) {
    inC.computeIfAbsent(row, _ -> new ArrayList<>()).addAll(samples);
    besides
        .computeIfAbsent(new Beside(measurement.name(), row), _ -> new ArrayList<>())
        .addAll(samples);
  }

  /// A row for each comparison of each measurement that was made, then one for each in C.
  List<Row> rows(List<Measurement> plan) {
    List<Row> rows = new ArrayList<>();
    for (Measurement measurement : plan) {
      Measured measured = own.get(measurement.name());
      if (measured != null) {
        for (Comparison comparison : measurement.comparisons()) {
          rows.add(row(measurement, measured, comparison));
        }
      }
    }
    inC.forEach((row, samples) -> rows.add(Row.ofC(row.title(), Score.of(samples))));
    return rows;
  }

  private Row row(Measurement measurement, Measured measured, Comparison comparison) {
    String comparedTo =
        switch (comparison) {
          case Comparison.WithC(CRow row, _) -> row.title();
          case Comparison.WithRow(String row, _) -> row;
          case Comparison.Scaling(String row, _) -> row;
          case Comparison.Alone _ -> "";
        };
    double other = other(measurement, comparison);
    double score = measured.score().value();
    double ratio =
        comparison instanceof Comparison.Scaling
            ? measurement.job().threads() * other / score
            : score / other;
    return new Row(
        measurement.name(),
        measured.score(),
        measured.bytesPerOp(),
        Double.isNaN(other) ? "" : comparedTo,
        other,
        ratio,
        comparison.target());
  }

  private double other(Measurement measurement, Comparison comparison) {
    return switch (comparison) {
      case Comparison.WithC(CRow row, _) -> value(besides.get(new Beside(measurement.name(), row)));
      case Comparison.WithRow(String row, _) -> value(own.get(row));
      case Comparison.Scaling(String row, _) -> value(own.get(row));
      case Comparison.Alone _ -> Double.NaN;
    };
  }

  private static double value(@Nullable List<Double> samples) {
    return samples == null ? Double.NaN : Score.of(samples).value();
  }

  private static double value(@Nullable Measured measured) {
    return measured == null ? Double.NaN : measured.score().value();
  }
}
