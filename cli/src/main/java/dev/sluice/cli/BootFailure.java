package dev.sluice.cli;

import dev.sluice.vm.BootException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A boot without a report, as its user is told of it.
///
/// @param stage the one that it failed in, if it got to one
/// @param message what was tried and what happened
/// @param advice what to do
/// @param console the last lines that the guest wrote
/// @param log where all of them are
record BootFailure(
    Optional<String> stage,
    String message,
    String advice,
    List<String> console,
    Optional<Path> log) {

  BootFailure {
    console = List.copyOf(console);
  }

  static BootFailure of(
      BootException failure, Optional<String> stage, List<String> console, Optional<Path> log) {
    String message = String.valueOf(failure.getMessage());
    return new BootFailure(stage, message, failure.advice(), console, log);
  }

  /// The lines of the message.
  List<String> lines(Terminal terminal) {
    List<String> lines = new ArrayList<>();
    String where = stage.map(name -> " in the stage '" + name + "'").orElse("");
    lines.add("");
    lines.add(terminal.paint(Terminal.Style.RED, "FAILED") + where + ": " + message);
    lines.add("What to do: " + advice);
    lines.addAll(traces(console, log));
    return lines;
  }

  /// The end of the console and the place of the log, for a boot that failed in any way.
  static List<String> traces(List<String> console, Optional<Path> log) {
    List<String> lines = new ArrayList<>();
    if (!console.isEmpty()) {
      lines.add("The guest's console ends with:");
      console.forEach(line -> lines.add("  | " + line));
    }
    log.ifPresent(file -> lines.add("All of it is in " + file));
    return lines;
  }
}
