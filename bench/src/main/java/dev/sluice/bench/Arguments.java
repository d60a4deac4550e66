package dev.sluice.bench;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// What the command line asks for.
///
/// @param help only how to use the command
/// @param effort how long
/// @param json the file that the rows go to besides, [#STANDARD_OUTPUT], or null
record Arguments(boolean help, Effort effort, @Nullable Path json) {
  /// In the place of a file.
  static final Path STANDARD_OUTPUT = Path.of("-");

  static final String USAGE =
      """
      usage: sluice bench [--quick] [--json[=FILE]]
        --quick         two minutes instead of ten, and rougher numbers
        --json[=FILE]   writes the rows as JSON, too: to FILE, or without one to standard
                        output; the table goes to standard error then. A row is
                        {name, unit, score, error, comparedTo, ratio, target, met, bytesPerOp}
      """;

  private static final String JSON = "--json";

  /// The command line is wrong; the message says how.
  static final class WrongUsage extends Exception {
    private static final long serialVersionUID = 1;

    WrongUsage(String message) {
      super(message);
    }
  }

  static Arguments parse(String... words) throws WrongUsage {
    boolean help = false;
    Effort effort = Effort.FULL;
    Path json = null;
    for (int i = 0; i < words.length; i++) {
      switch (words[i]) {
        case "--quick" -> effort = Effort.QUICK;
        case JSON -> {
          boolean file = i + 1 < words.length && isFile(words[i + 1]);
          json = file ? file(words[++i]) : STANDARD_OUTPUT;
        }
        case "--help", "-h" -> help = true;
        default -> {
          if (!words[i].startsWith(JSON + "=")) {
            throw new WrongUsage("unknown option " + words[i]);
          }
          json = file(words[i].substring(JSON.length() + 1));
        }
      }
    }
    return new Arguments(help, effort, json);
  }

  /// Whether the word behind a `--json` is its file and no other option.
  private static boolean isFile(String word) {
    return !word.startsWith("-") || word.equals(STANDARD_OUTPUT.toString());
  }

  private static Path file(String name) throws WrongUsage {
    if (name.isEmpty()) {
      throw new WrongUsage("--json names no file");
    }
    return Path.of(name);
  }

  /// Whether standard output is for the rows.
  boolean outputIsForRows() {
    return STANDARD_OUTPUT.equals(json);
  }
}
