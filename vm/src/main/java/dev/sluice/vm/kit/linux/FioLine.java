package dev.sluice.vm.kit.linux;

import java.util.Optional;

/// What fio measured, from a line of its terse format, version 3 (fio's HOWTO, "Terse output").
///
/// ```
///   0  "3"    2  job's name    4  error, 0 = none
///   5  reads: KiB in all | +1 KiB/s | +2 I/Os per second | +3 milliseconds
///             +4 submission latency: 4 numbers | +8 completion latency: 4 numbers
///             +12 "PERCENT%=MICROSECONDS", 20 times | +32 latency: least, most, mean, deviation
///             +36 bandwidth: 5 numbers
///  46  writes: the same
/// ```
///
/// The line is the guest's: whatever does not have this form is no measurement.
///
/// @param job the workload's name
/// @param bytes moved in the measured time
/// @param seconds measured
/// @param meanMicros mean latency of an I/O from its submission to its completion, in microseconds
/// @param p50Micros the time within which half of them ended
/// @param p99Micros the same for 99 %
/// @param p999Micros the same for 99.9 %
public record FioLine(
    String job,
    long bytes,
    double seconds,
    double meanMicros,
    double p50Micros,
    double p99Micros,
    double p999Micros) {
  private static final String VERSION = "3";
  private static final int READS = 5;
  private static final int WRITES = 46;
  private static final int MILLISECONDS = 3;
  private static final int PERCENTILES = 12;
  private static final int MEAN_LATENCY = 34;
  private static final int FIELDS = WRITES + 41;

  /// Reads a line.
  ///
  /// @param line see the class
  /// @param reads whether the workload reads
  /// @return empty if it is no such line, fio met an error, or nothing was moved
  public static Optional<FioLine> parse(String line, boolean reads) {
    String[] fields = line.split(";", -1);
    if (fields.length < FIELDS || !fields[0].equals(VERSION) || !fields[4].equals("0")) {
      return Optional.empty();
    }
    int at = reads ? READS : WRITES;
    try {
      FioLine result =
          new FioLine(
              fields[2],
              Math.multiplyExact(Long.parseLong(fields[at]), 1024L),
              Long.parseLong(fields[at + MILLISECONDS]) / 1000.0,
              Double.parseDouble(fields[at + MEAN_LATENCY]),
              percentile(fields[at + PERCENTILES], 50),
              percentile(fields[at + PERCENTILES + 1], 99),
              percentile(fields[at + PERCENTILES + 2], 99.9));
      return result.isPossible() ? Optional.of(result) : Optional.empty();
    } catch (NumberFormatException | ArithmeticException _) {
      return Optional.empty();
    }
  }

  private static double percentile(String field, double percent) {
    String[] parts = field.split("%=", -1);
    if (parts.length != 2 || Double.parseDouble(parts[0]) != percent) {
      throw new NumberFormatException(field + " is not percentile " + percent);
    }
    return Double.parseDouble(parts[1]);
  }

  private boolean isPossible() {
    boolean finite = Double.isFinite(meanMicros + p50Micros + p99Micros + p999Micros);
    return bytes > 0 && seconds > 0 && finite && meanMicros > 0 && p50Micros >= 0;
  }
}
