package dev.sluice.vm;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// A folder for the sockets, tables and disk of one run, which only this user can enter and which
/// goes with the run, also when the process is told to end.
///
/// It lies in the shortest place that there is: the path of a UNIX socket has at most 107 bytes.
final class RunFolder implements AutoCloseable {
  /// Names the process, so that a person who finds a folder can tell whether it is in use.
  static final String PREFIX = "sluice-" + ProcessHandle.current().pid() + "-";

  private final Path path;
  private final Thread atExit = new Thread(this::delete, "sluice-run-folder");

  private RunFolder(Path path) {
    this.path = path;
    Runtime.getRuntime().addShutdownHook(atExit);
  }

  static RunFolder create() throws BootException {
    Path parent = Path.of(System.getProperty("java.io.tmpdir"));
    try {
      var mine = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
      return new RunFolder(Files.createTempDirectory(parent, PREFIX, mine));
    } catch (IOException e) {
      throw new BootException(
          "cannot make a folder for this run in " + parent + ": " + e,
          "Make the folder writable and check that its disk is not full, or start Java with -Djava.io.tmpdir=FOLDER"
              + " (through JAVA_TOOL_OPTIONS).",
          e);
    }
  }

  Path path() {
    return path;
  }

  Path file(String name) {
    return path.resolve(name);
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException _) {
      // The process is ending: the hook deletes the folder, too, and twice is harmless.
    }
    delete();
  }

  private void delete() {
    List<Path> inside;
    try (Stream<Path> walk = Files.walk(path)) {
      inside = walk.sorted(Comparator.reverseOrder()).toList();
    } catch (IOException | UncheckedIOException _) {
      return;
    }
    for (Path each : inside) {
      try {
        Files.deleteIfExists(each);
      } catch (IOException _) {
        // Another run of the same loop, or the next clean-up of the temporary folder, gets it.
      }
    }
  }
}
