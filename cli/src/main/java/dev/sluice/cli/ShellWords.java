package dev.sluice.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// A command line as a user pastes it into a POSIX shell.
final class ShellWords {
  private static final Pattern HARMLESS = Pattern.compile("[A-Za-z0-9_./:=,+@%^-]+");

  private ShellWords() {}

  /// The word as it is, or in single quotes where the shell would act upon it.
  static String quote(String word) {
    return HARMLESS.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
  }

  /// The words in one line.
  static String line(List<String> words) {
    return words.stream().map(ShellWords::quote).collect(Collectors.joining(" "));
  }

  /// The words in lines that the shell joins, a new one at each option.
  ///
  /// @param words the first is the program
  static List<String> lines(List<String> words) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : words) {
      if (word.startsWith("-") && !line.isEmpty()) {
        lines.add(line + " \\");
        line.setLength(0);
        line.append("  ");
      } else if (!line.isEmpty()) {
        line.append(' ');
      }
      line.append(quote(word));
    }
    lines.add(line.toString());
    return lines;
  }
}
