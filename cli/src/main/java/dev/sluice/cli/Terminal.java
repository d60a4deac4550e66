package dev.sluice.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// What may be done with an output stream beyond writing lines to it.
///
/// @param redraws whether a line may be drawn again in place: a terminal that understands escape
///   sequences, with a person in front of it
/// @param colours whether colours are wanted
record Terminal(boolean redraws, boolean colours) {
  /// A file, a pipe, a log.
  static final Terminal NONE = new Terminal(false, false);

  /// A colour or weight (ECMA-48, SGR).
  enum Style {
    BOLD("1"),
    DIM("2"),
    RED("31"),
    GREEN("32"),
    YELLOW("33");

    private final String parameter;

    Style(String parameter) {
      this.parameter = parameter;
    }
  }

  /// What standard output permits.
  static Terminal ofStandardOutput() {
    return of(isTerminal(1), System.getenv());
  }

  /// What standard error permits.
  static Terminal ofStandardError() {
    return of(isTerminal(2), System.getenv());
  }

  /// Whether standard input is a terminal.
  static boolean isInputTerminal() {
    return isTerminal(0);
  }

  /// @param terminal whether the stream is one
  /// @param environment `TERM`, `NO_COLOR` (any text: no colours) and `CI` (any text but `false`:
  ///   nothing is redrawn) are looked at
  static Terminal of(boolean terminal, Map<String, String> environment) {
    boolean capable = terminal && !environment.getOrDefault("TERM", "").equals("dumb");
    String ci = environment.getOrDefault("CI", "");
    boolean inCi = !ci.isEmpty() && !ci.equals("false");
    boolean plain = !environment.getOrDefault("NO_COLOR", "").isEmpty();
    return new Terminal(capable && !inCi, capable && !plain);
  }

  /// The text in a style, where colours are wanted.
  String paint(Style style, String text) {
    return colours ? "\u001b[" + style.parameter + "m" + text + "\u001b[0m" : text;
  }

  /// The JDK tells only of input and output together, so Linux is asked for each.
  private static boolean isTerminal(int descriptor) {
    try {
      Path target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor));
      return target.startsWith("/dev/pts")
          || target.toString().startsWith("/dev/tty")
          || target.equals(Path.of("/dev/console"));
    } catch (IOException _) {
      return false;
    }
  }
}
