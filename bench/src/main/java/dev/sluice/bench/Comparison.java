package dev.sluice.bench;

import org.jspecify.annotations.Nullable;

/// What a row is put beside, and what the two should make.
sealed interface Comparison {
  /// What should come of it, or null.
  @Nullable Target target();

  /// The same work in C.
  record WithC(CRow row, @Nullable Target target) implements Comparison {}

  /// Another row's time.
  ///
  /// @param row its name
  record WithRow(String row, @Nullable Target target) implements Comparison {}

  /// The throughput of several threads together, beside another row's one thread.
  ///
  /// @param row its name
  record Scaling(String row, Target target) implements Comparison {}

  /// Nothing but the clock.
  record Alone(@Nullable Target target) implements Comparison {}
}
