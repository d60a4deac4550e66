package dev.sluice.vm;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A folder for the sockets, tables and disk of one run, which only this user can enter and which
/// goes with the run, also when the process is told to end.
///
/// A process that is killed leaves its folder behind. Each holds a lock in its own for as long as
/// it lives, so the next run can tell the folders of the dead, and removes them. The process id in
/// the name would not do for that: containers may share the place and not the ids.
///
/// It lies in the shortest place that there is: the path of a UNIX socket has at most 107 bytes.
final class RunFolder implements AutoCloseable {
  /// Names the process, so that a person who finds a folder can tell whose it is.
  static final String PREFIX = "sluice-" + ProcessHandle.current().pid() + "-";

  private static final Pattern NAME = Pattern.compile("sluice-[0-9]+-[0-9]+");
  private static final String LOCK = "lock";

  private final Path path;
  private final FileChannel lock;
  private final Thread atExit = new Thread(this::delete, "sluice-run-folder");

  private RunFolder(Path path, FileChannel lock) {
    this.path = path;
    this.lock = lock;
    Runtime.getRuntime().addShutdownHook(atExit);
  }

  static RunFolder create() throws BootException {
    return create(Path.of(System.getProperty("java.io.tmpdir")));
  }

  static RunFolder create(Path parent) throws BootException {
    if (!Files.isDirectory(parent)) {
      throw new BootException(
          "there is no folder " + parent + " for temporary files",
          "Make it, or name another with -Djava.io.tmpdir=FOLDER in JAVA_TOOL_OPTIONS.");
    }
    try {
      var mine = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
      return of(Files.createTempDirectory(parent, PREFIX, mine), parent);
    } catch (IOException e) {
      throw new BootException(
          "cannot make a folder for this run in " + parent + ": " + e,
          "Make the folder writable and check that its disk is not full, or start Java with -Djava.io.tmpdir=FOLDER"
              + " (through JAVA_TOOL_OPTIONS).",
          e);
    }
  }

  private static RunFolder of(Path path, Path parent) throws IOException {
    boolean made = false;
    try {
      removeTheDead(parent, Files.getOwner(path));
      RunFolder folder = new RunFolder(path, lock(path));
      made = true;
      return folder;
    } catch (IllegalStateException e) {
      throw new IOException("the process is ending", e);
    } finally {
      if (!made) {
        // Without its lock, no other run would ever know it for a dead one's.
        deleteAll(path);
      }
    }
  }

  @SuppressWarnings("MustBeClosed") // The folder closes it, after everything else is gone.
  private static FileChannel lock(Path path) throws IOException {
    Path unlocked = path.resolve(LOCK + ".new");
    FileChannel channel =
        FileChannel.open(unlocked, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    try {
      // The process holds it until the channel is closed. It gets its name only now: another run
      // that found it unlocked would take this folder for that of a dead process. There is nothing
      // to wait for, and a wait would fail in a thread that is told to end.
      if (channel.tryLock() == null) {
        throw new IOException("somebody else has locked " + unlocked);
      }
      Files.move(unlocked, path.resolve(LOCK), StandardCopyOption.ATOMIC_MOVE);
      return channel;
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  /// Removes what killed processes of this user left. What cannot be removed is no reason to fail.
  private static void removeTheDead(Path parent, UserPrincipal owner) {
    List<Path> folders;
    try (Stream<Path> entries = Files.list(parent)) {
      folders = entries.filter(entry -> isAnother(entry, owner)).toList();
    } catch (IOException | UncheckedIOException _) {
      return;
    }
    for (Path folder : folders) {
      // One without its lock is being made at this moment.
      try (FileChannel channel = FileChannel.open(folder.resolve(LOCK), StandardOpenOption.WRITE);
          FileLock held = channel.tryLock()) {
        if (held != null) {
          deleteAll(folder);
        }
      } catch (IOException _) {
        // Not there any more, or without a lock.
      }
    }
  }

  /// Whether it is a folder of another process. This process's own must not even be looked at: the
  /// kernel gives a lock up when any descriptor of its file is closed (fcntl(2)).
  private static boolean isAnother(Path entry, UserPrincipal owner) {
    String name = entry.getFileName().toString();
    try {
      return NAME.matcher(name).matches()
          && !name.startsWith(PREFIX)
          && Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)
          && Files.getOwner(entry, LinkOption.NOFOLLOW_LINKS).equals(owner);
    } catch (IOException _) {
      return false;
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
    deleteAll(path);
    try {
      lock.close();
    } catch (IOException _) {
      // The end of the process releases it.
    }
  }

  private static void deleteAll(Path folder) {
    List<Path> inside;
    try (Stream<Path> walk = Files.walk(folder)) {
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
