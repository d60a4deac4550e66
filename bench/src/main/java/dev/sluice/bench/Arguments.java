package dev.sluice.bench;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// What the command line asks for.
///
/// @param help only how to use the command
/// @param effort how long
/// @param json where the rows go besides, or null
record Arguments(boolean help, Effort effort, @Nullable Path json) {
  static final String USAGE =
      """
      usage: sluice bench [--quick] [--json FILE]
        --quick       two minutes instead of ten, and rougher numbers
        --json FILE   writes the rows to a file, too:
                      {name, unit, score, error, comparedTo, ratio, target, met, bytesPerOp}
      """;

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
        case "--json" -> {
          if (++i == words.length || words[i].isEmpty()) {
            throw new WrongUsage("--json needs a file");
          }
          json = Path.of(words[i]);
        }
        case "--help", "-h" -> help = true;
        default -> throw new WrongUsage("unknown option " + words[i]);
      }
    }
    return new Arguments(help, effort, json);
  }
}
