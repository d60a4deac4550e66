package dev.sluice.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/// Where `--json` puts its object: `--json` alone means standard output, `--json=FILE` a file. It
/// is the same option in every command.
sealed interface JsonTarget {
  /// The value of the option that means standard output.
  String STANDARD_OUTPUT = "-";

  /// Writes the whole text, or leaves what was there.
  void write(String text) throws IOException;

  /// What the option of `command` asks for, tried out.
  ///
  /// @param value of the option; null when it was not given
  /// @throws ParameterException if the target cannot be written
  static Optional<JsonTarget> wanted(@Nullable String value, CommandLine command) {
    if (value == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(open(value, command.getOut()));
    } catch (IOException | InvalidPathException e) {
      throw new ParameterException(command, "cannot write --json " + value + ": " + e.getMessage());
    }
  }

  /// Finds out whether the target can be written before there is anything to write.
  ///
  /// @param value of the option: a path, or [#STANDARD_OUTPUT]
  /// @param out standard output
  /// @throws IOException if it cannot; the message says why
  static JsonTarget open(String value, PrintWriter out) throws IOException {
    if (value.equals(STANDARD_OUTPUT)) {
      return new Stream(out);
    }
    Path named = Path.of(value).toAbsolutePath();
    // What a link leads to is replaced, not the link. That of /dev/stdout may be a pipe, which has
    // no other path.
    Path path = Files.isRegularFile(named) ? named.toRealPath() : named;
    if (Files.isDirectory(path)) {
      throw new IOException(value + " is a directory");
    }
    if (Files.exists(path) && !Files.isRegularFile(path)) {
      if (!Files.isWritable(path)) {
        throw new IOException("no permission to write to " + value);
      }
      return new Device(path);
    }
    Regular target = new Regular(path);
    target.tryOut(value);
    return target;
  }

  /// Standard output.
  record Stream(PrintWriter out) implements JsonTarget {
    @Override
    public void write(String text) throws IOException {
      out.print(text);
      // A full disk, or a reader that has gone.
      if (out.checkError()) {
        throw new IOException("standard output takes no more");
      }
    }
  }

  /// A pipe, a device: not to be replaced.
  record Device(Path path) implements JsonTarget {
    @Override
    public void write(String text) throws IOException {
      Files.writeString(path, text);
    }
  }

  /// A file, which appears or changes in one step.
  record Regular(Path path) implements JsonTarget {
    @Override
    public void write(String text) throws IOException {
      Path temporary = temporary();
      try {
        Files.writeString(temporary, text);
        Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(temporary);
      }
    }

    private void tryOut(String value) throws IOException {
      try {
        Files.writeString(temporary(), "");
        Files.delete(temporary());
      } catch (NoSuchFileException _) {
        throw new IOException("there is no folder " + folder() + " for " + value);
      } catch (AccessDeniedException _) {
        throw new IOException("no permission to write to the folder " + folder());
      } catch (FileSystemException e) {
        throw new IOException("cannot write to the folder " + folder() + ": " + e.getReason(), e);
      }
    }

    /// Beside the file, since a rename does not cross file systems.
    private Path temporary() {
      long pid = ProcessHandle.current().pid();
      return folder().resolve("." + path.getFileName() + "." + pid + ".tmp");
    }

    private Path folder() {
      Path parent = path.getParent();
      return parent == null ? path : parent;
    }
  }
}
