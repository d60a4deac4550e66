package dev.sluice.cli;

import dev.sluice.vm.BootException;
import dev.sluice.vm.BootListener;
import java.util.List;

/// What came of a boot or a benchmark that was carried out.
///
/// @param passed whether all of it is as it should be
/// @param lines the report for people
/// @param json the report for programs
record Outcome(boolean passed, List<String> lines, String json) {
  Outcome {
    lines = List.copyOf(lines);
  }

  /// What leads to one.
  @FunctionalInterface
  interface Source {
    /// Runs to its end, in the calling thread.
    ///
    /// @throws BootException if there is nothing to report
    /// @throws InterruptedException if the thread was interrupted; nothing is left running
    Outcome run(BootListener listener) throws BootException, InterruptedException;
  }
}
