package dev.sluice.bench;

import java.util.List;

/// What is measured beside what.
///
/// @param benchmark class and method
/// @param comparedTo class and method of the other, or empty
record Comparison(String benchmark, String comparedTo) {
  static final List<Comparison> ALL =
      List.of(
          new Comparison("AccessBenchmark.load8", "AccessBenchmark.load8Direct"),
          new Comparison("AccessBenchmark.read64", "AccessBenchmark.read64Copy"),
          new Comparison("AccessBenchmark.read4096", "AccessBenchmark.read4096Copy"),
          new Comparison("AccessBenchmark.write64", "AccessBenchmark.write64Copy"),
          new Comparison("DrainBenchmark.mapUnmap", "DrainBenchmark.atomicPair"),
          new Comparison("DrainBenchmark.invalidatePage", "DrainBenchmark.atomicPair"),
          new Comparison("DrainBenchmark.invalidatePageAndMiss", "DrainBenchmark.invalidatePage"),
          new Comparison("DrainBenchmark.invalidateAll", "DrainBenchmark.invalidatePage"));
}
