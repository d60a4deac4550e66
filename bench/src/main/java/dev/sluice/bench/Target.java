package dev.sluice.bench;

import java.util.Locale;

/// What a row should reach.
sealed interface Target {
  /// Whether it is reached.
  ///
  /// @param score in nanoseconds
  /// @param ratio to what the row is compared to, NaN if there is nothing
  boolean met(double score, double ratio);

  /// At most so many times what the row is compared to.
  record AtMost(double ratio) implements Target {
    @Override
    public boolean met(double score, double measured) {
      return measured <= ratio;
    }

    @Override
    public String toString() {
      return String.format(Locale.ROOT, "<= %.2fx", ratio);
    }
  }

  /// At least so many times the throughput of what the row is compared to.
  record AtLeast(double ratio) implements Target {
    @Override
    public boolean met(double score, double measured) {
      return measured >= ratio;
    }

    @Override
    public String toString() {
      return String.format(Locale.ROOT, ">= %.2fx", ratio);
    }
  }

  /// At most so many nanoseconds.
  record Within(double nanos) implements Target {
    @Override
    public boolean met(double score, double measured) {
      return score <= nanos;
    }

    @Override
    public String toString() {
      return String.format(Locale.ROOT, "<= %.0f ns", nanos);
    }
  }
}
