package dev.sluice.bench;

import java.util.LinkedHashMap;
import java.util.Map;

/// What JMH is asked to run; several rows may come of one job.
///
/// @param benchmark class and method in `dev.sluice.bench.jmh`
/// @param parameters those that are not at their default
/// @param threads how many
/// @param operations of a round
record Job(String benchmark, Map<String, String> parameters, int threads, int operations) {

  Job {
    parameters = Map.copyOf(parameters);
  }

  /// The benchmark at its defaults.
  ///
  /// @param operations of a round
  static Job of(String benchmark, int operations) {
    return new Job(benchmark, Map.of(), 1, operations);
  }

  Job with(String parameter, Object value) {
    Map<String, String> more = new LinkedHashMap<>(parameters);
    more.put(parameter, value.toString());
    return new Job(benchmark, more, threads, operations);
  }

  Job onThreads(int count) {
    return new Job(benchmark, parameters, count, operations);
  }
}
