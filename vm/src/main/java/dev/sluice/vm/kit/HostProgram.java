package dev.sluice.vm.kit;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/// A program of this machine, run to its end with its output taken line by line.
///
/// Its language is set to C, so that messages can be recognised. When the calling thread is
/// interrupted or this JVM ends, the program is ended too.
final class HostProgram {
  /// Lines of standard error kept for a message; the last ones say why a program gave up.
  private static final int MAX_ERROR_LINES = 20;

  private final List<String> command;
  private Consumer<String> output = line -> {};

  HostProgram(List<String> command) {
    this.command = List.copyOf(command);
  }

  /// Looks a program up as a shell does.
  ///
  /// @param searchPath the value of `PATH`
  static Optional<Path> find(String name, String searchPath) {
    for (String directory : searchPath.split(":", -1)) {
      if (!directory.isEmpty()) {
        Path candidate = Path.of(directory, name);
        if (Files.isRegularFile(candidate) && Files.isExecutable(candidate)) {
          return Optional.of(candidate);
        }
      }
    }
    return Optional.empty();
  }

  /// As [#find(String, String)] with this process's `PATH` and the places where administrators'
  /// programs are, which an ordinary user's `PATH` may lack.
  static Optional<Path> find(String name) {
    String path = System.getenv().getOrDefault("PATH", "");
    return find(name, path + ":/usr/bin:/bin:/usr/sbin:/sbin");
  }

  /// @param lines gets each line of standard output
  HostProgram output(Consumer<String> lines) {
    this.output = lines;
    return this;
  }

  /// How a program ended.
  ///
  /// @param status its exit status
  /// @param errors the last lines of its standard error
  record Result(int status, List<String> errors) {
    /// The error lines as one text.
    String errorText() {
      return String.join("\n", errors);
    }
  }

  /// Runs the program and waits for its end.
  ///
  /// @throws IOException if it cannot be started
  /// @throws InterruptedException if the thread was interrupted; the program is gone then
  Result run() throws IOException, InterruptedException {
    Process process = start();
    try (ChildGuard _ = ChildGuard.of(process)) {
      process.getOutputStream().close();
      Deque<String> errors = new ArrayDeque<>();
      Thread errorReader =
          Thread.ofVirtual().start(() -> readErrors(process.getErrorStream(), errors));
      Thread outputReader =
          Thread.ofVirtual().start(() -> readLines(process.getInputStream(), output));
      int status = process.waitFor();
      outputReader.join();
      errorReader.join();
      return new Result(status, List.copyOf(errors));
    }
  }

  /// Runs the program and returns the bytes of its standard output.
  ///
  /// @throws IOException if it cannot be started or fails
  byte[] bytes() throws IOException, InterruptedException {
    Process process = start();
    try (ChildGuard _ = ChildGuard.of(process)) {
      process.getOutputStream().close();
      Deque<String> errors = new ArrayDeque<>();
      Thread errorReader =
          Thread.ofVirtual().start(() -> readErrors(process.getErrorStream(), errors));
      byte[] bytes = process.getInputStream().readAllBytes();
      int status = process.waitFor();
      errorReader.join();
      if (status != 0) {
        throw new IOException(
            "%s ended with status %d: %s"
                .formatted(String.join(" ", command), status, String.join("; ", errors)));
      }
      return bytes;
    }
  }

  private Process start() throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command);
    Map<String, String> environment = builder.environment();
    environment.put("LC_ALL", "C.UTF-8");
    environment.put("LANGUAGE", "C");
    return builder.start();
  }

  private static void readErrors(InputStream in, Deque<String> errors) {
    readLines(
        in,
        line -> {
          if (errors.size() == MAX_ERROR_LINES) {
            errors.removeFirst();
          }
          errors.addLast(line);
        });
  }

  private static void readLines(InputStream in, Consumer<String> lines) {
    try (BufferedReader reader =
        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        lines.accept(line);
      }
    } catch (IOException e) {
      // The program was killed and its pipe closed under the reader: the exit status tells.
      System.getLogger(HostProgram.class.getName())
          .log(System.Logger.Level.DEBUG, "pipe closed", e);
    }
  }
}
