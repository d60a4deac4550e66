package dev.sluice.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The compiled comparators.
///
/// @param program runs one row at a time
record Comparators(Path program) {

  /// Runs a row.
  ///
  /// @return nanoseconds of an operation, a number for each sample
  /// @throws IOException if it failed; the message says what it said
  List<Double> run(CRow row, int samples, int millis) throws IOException, InterruptedException {
    List<String> command =
        List.of(
            program.toString(),
            row.name(),
            Integer.toString(row.pages()),
            Integer.toString(row.bytes()),
            Integer.toString(samples),
            Integer.toString(millis));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int status = process.waitFor();
    if (status != 0) {
      throw failure(row, "exit status " + status, said);
    }
    return parse(row, samples, said);
  }

  static List<Double> parse(CRow row, int samples, String said) throws IOException {
    List<Double> numbers = new ArrayList<>();
    for (String line : said.lines().toList()) {
      try {
        numbers.add(Double.valueOf(line));
      } catch (NumberFormatException _) {
        throw failure(row, "not a number", said);
      }
    }
    if (numbers.size() != samples || numbers.stream().anyMatch(n -> !(n > 0))) {
      throw failure(row, "not " + samples + " times above 0", said);
    }
    return numbers;
  }

  private static IOException failure(CRow row, String what, String said) {
    return new IOException(row.title() + ": " + what + ": " + said.strip());
  }
}
