package dev.sluice.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// A folder for the time of a run. However the run ends, the folder is gone after it, and so are
/// the processes that the run has started.
final class Workspace implements AutoCloseable {
  /// How long the end of the JVM waits for a run whose processes are being ended. Such a run ends
  /// at once; this is for one that does not.
  private static final long PATIENCE_SECONDS = 10;

  private static final long LOOK_MILLIS = 10;

  private final Path folder;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread onExit = new Thread(this::exit, "bench clean-up");

  private Workspace(Path folder) {
    this.folder = folder;
  }

  /// Makes the folder.
  static Workspace open() throws IOException {
    Workspace made = new Workspace(Files.createTempDirectory("sluice-bench"));
    try {
      Runtime.getRuntime().addShutdownHook(made.onExit);
    } catch (IllegalStateException e) {
      made.delete();
      throw new IOException("the process is ending", e);
    }
    return made;
  }

  Path folder() {
    return folder;
  }

  /// Whether the JVM is ending: what fails from now on fails because of that.
  static boolean exiting() {
    // The one thing that tells: hooks are refused from the first moment of the end on.
    Thread probe = new Thread(() -> {});
    try {
      Runtime.getRuntime().addShutdownHook(probe);
      Runtime.getRuntime().removeShutdownHook(probe);
      return false;
    } catch (IllegalStateException _) {
      return true;
    }
  }

  @Override
  public void close() {
    delete();
    closed.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(onExit);
    } catch (IllegalStateException _) {
      // The JVM is ending: the hook ends what may be left of the run's processes.
    }
  }

  /// A run whose process ends goes on by itself, starts another one perhaps, and lets JMH make
  /// temporary files, which the JVM removes only if they were made before the hooks had ended. So
  /// its processes are ended until it has given up.
  private void exit() {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    boolean over;
    do {
      endChildren();
      over = awaitClosed();
    } while (!over && System.nanoTime() - end < 0);
    endChildren();
    delete();
  }

  private boolean awaitClosed() {
    try {
      return closed.await(LOOK_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException _) {
      return true;
    }
  }

  /// Again and again until there are none: one may just be starting.
  private static void endChildren() {
    for (List<ProcessHandle> left = children(); !left.isEmpty(); left = children()) {
      left.forEach(ProcessHandle::destroyForcibly);
      left.forEach(child -> child.onExit().join());
    }
  }

  private static List<ProcessHandle> children() {
    return ProcessHandle.current().descendants().toList();
  }

  private synchronized void delete() {
    try {
      deleteFolder();
    } catch (IOException | UncheckedIOException e) {
      System.err.println("sluice bench: cannot remove " + folder + ": " + e.getMessage());
    }
  }

  private void deleteFolder() throws IOException {
    if (Files.notExists(folder)) {
      return;
    }
    try (Stream<Path> content = Files.walk(folder)) {
      for (Path path : content.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }
}
