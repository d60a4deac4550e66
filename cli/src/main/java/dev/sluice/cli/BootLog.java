package dev.sluice.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// What was heard during a boot, kept in memory and written to a file only when somebody will want
/// to read it: after a failure. For use by any thread.
final class BootLog {
  /// Characters kept of the console, and as many of what Sluice said: the newest. A boot has about
  /// 50,000; a guest that floods its console, or provokes messages, gets no more memory than this.
  static final int MAX_CHARACTERS = 4 << 20;

  /// Lines of the console that a failure's message shows: a panic with its stack has about 25.
  static final int TAIL_LINES = 30;

  /// Files kept in the folder of logs, the newest.
  static final int MAX_FILES = 10;

  private static final String PREFIX = "boot-";
  private static final DateTimeFormatter NAME =
      DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT);

  private final Newest events = new Newest();
  private final Newest console = new Newest();

  /// Something that Sluice did or said.
  synchronized void event(String line) {
    events.add(line);
  }

  /// A line of the guest's console.
  synchronized void console(String line) {
    console.add(line);
  }

  /// The last lines of the console, at most [#TAIL_LINES].
  synchronized List<String> tail() {
    Deque<String> lines = console.lines;
    return lines.stream().skip(Math.max(0, lines.size() - TAIL_LINES)).toList();
  }

  /// Writes everything to a new file and removes the oldest ones.
  ///
  /// @param folder made if need be
  /// @return the new file
  synchronized Path save(Path folder) throws IOException {
    Files.createDirectories(folder);
    String time = NAME.format(LocalDateTime.now(ZoneId.systemDefault()));
    Path file = folder.resolve(PREFIX + time + "-" + ProcessHandle.current().pid() + ".log");
    List<String> lines = new ArrayList<>(events.lines);
    lines.add("");
    lines.add("The guest's console:");
    lines.addAll(console.lines);
    Files.write(file, lines);
    removeOld(folder);
    return file;
  }

  private static void removeOld(Path folder) throws IOException {
    List<Path> old;
    try (Stream<Path> files = Files.list(folder)) {
      old =
          files
              .filter(file -> file.getFileName().toString().startsWith(PREFIX))
              .sorted(Comparator.reverseOrder())
              .skip(MAX_FILES)
              .toList();
    }
    for (Path file : old) {
      Files.deleteIfExists(file);
    }
  }

  /// The newest lines, [#MAX_CHARACTERS] in all.
  private static final class Newest {
    private final Deque<String> lines = new ArrayDeque<>();
    private long characters;

    private void add(String line) {
      lines.addLast(line);
      characters += line.length() + 1;
      while (characters > MAX_CHARACTERS) {
        characters -= lines.removeFirst().length() + 1;
      }
    }
  }
}
