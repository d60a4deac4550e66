package dev.sluice.vm.kit;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The folder where QEMU, the guest kernel and what they came from stay between runs.
///
/// ```
/// ROOT/lock       taken while something is added
/// ROOT/apt/       apt's lists and downloaded packages, partial ones too
/// ROOT/tmp/       what is being unpacked; whatever lies here without the lock held is left over
/// ROOT/kit/NAME/  a complete entry: it appears by a rename, so an entry that is there is whole
/// ```
///
/// Any number of processes may share it. Reading a complete entry needs no lock, and entries are
/// never changed or removed.
public final class KitCache {
  private static final Map<Path, ReentrantLock> LOCKS_OF_THIS_JVM = new ConcurrentHashMap<>();

  private final Path root;

  /// @param root made when the first thing is put into it
  public KitCache(Path root) {
    this.root = root.toAbsolutePath().normalize();
  }

  /// The user's cache: `$SLUICE_CACHE`, else `$XDG_CACHE_HOME/sluice`, else `~/.cache/sluice`.
  ///
  /// @param environment usually `System.getenv()`
  /// @param home the user's home folder, where `$HOME` does not name one
  public static KitCache standard(Map<String, String> environment, Path home) {
    String own = environment.getOrDefault("SLUICE_CACHE", "");
    if (!own.isEmpty()) {
      return new KitCache(Path.of(own));
    }
    String xdg = environment.getOrDefault("XDG_CACHE_HOME", "");
    // The XDG base directory specification has relative paths ignored.
    if (xdg.startsWith("/")) {
      return new KitCache(Path.of(xdg, "sluice"));
    }
    String named = environment.getOrDefault("HOME", "");
    Path base = named.startsWith("/") ? Path.of(named) : home;
    return new KitCache(base.resolve(".cache").resolve("sluice"));
  }

  /// [#standard(Map, Path)] of this process.
  public static KitCache standard() {
    return standard(System.getenv(), Path.of(System.getProperty("user.home")));
  }

  /// The cache's folder.
  public Path root() {
    return root;
  }

  /// A complete entry, if there is one of this name.
  public Optional<Path> entry(String name) {
    Path path = entryPath(name);
    return Files.isDirectory(path) ? Optional.of(path) : Optional.empty();
  }

  /// Fills an empty folder.
  @FunctionalInterface
  interface Filler {
    void fill(Path folder) throws IOException, InterruptedException;
  }

  /// Makes an entry unless it is there. The caller holds the [Lock].
  ///
  /// @param filler fills a temporary folder, which becomes the entry when it returns
  Path install(String name, Filler filler) throws IOException, InterruptedException {
    Optional<Path> there = entry(name);
    if (there.isPresent()) {
      return there.get();
    }
    Path temporary = folder("tmp").resolve(name);
    deleteTree(temporary);
    Files.createDirectory(temporary);
    boolean complete = false;
    try {
      filler.fill(temporary);
      complete = true;
    } finally {
      if (!complete) {
        deleteTree(temporary);
      }
    }
    folder("kit");
    return Files.move(temporary, entryPath(name), StandardCopyOption.ATOMIC_MOVE);
  }

  /// A folder of the cache, made if need be.
  Path folder(String name) throws KitException {
    try {
      return Files.createDirectories(root.resolve(name));
    } catch (IOException e) {
      throw new KitException(
          "cannot create " + root.resolve(name) + ": " + e,
          "Set SLUICE_CACHE to a folder that you may write to.",
          e);
    }
  }

  /// Fails early, with a number, when the disk has no room.
  ///
  /// @param bytes what is about to be downloaded and unpacked
  void requireFree(long bytes) throws IOException {
    long free = Files.getFileStore(folder("tmp")).getUsableSpace();
    if (free < bytes) {
      throw new KitException(
          "%s has %d MB free, about %d MB are needed".formatted(root, free >> 20, bytes >> 20),
          "Free some room, or set SLUICE_CACHE to a folder on another disk.");
    }
  }

  /// The right to change the cache, held by one thread of one process at a time.
  static final class Lock implements AutoCloseable {
    private final ReentrantLock inJvm;
    private final FileChannel channel;
    private final FileLock lock;

    private Lock(ReentrantLock inJvm, FileChannel channel, FileLock lock) {
      this.inJvm = inJvm;
      this.channel = channel;
      this.lock = lock;
    }

    @Override
    public void close() throws IOException {
      try (channel) {
        lock.release();
      } finally {
        inJvm.unlock();
      }
    }
  }

  /// Takes the lock, and says so when another process has it.
  Lock lock(KitProgress progress) throws IOException, InterruptedException {
    Path file = folder("").resolve("lock");
    // A FileLock is the process's, so threads of this one need a lock of their own before it.
    ReentrantLock inJvm = LOCKS_OF_THIS_JVM.computeIfAbsent(file, _ -> new ReentrantLock());
    inJvm.lockInterruptibly();
    boolean held = false;
    try {
      FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      try {
        FileLock lock = channel.tryLock();
        if (lock == null) {
          progress.stage("Waiting for another process to finish with " + root);
          lock = channel.lock();
        }
        held = true;
        return new Lock(inJvm, channel, lock);
      } finally {
        if (!held) {
          channel.close();
        }
      }
    } finally {
      if (!held) {
        inJvm.unlock();
      }
    }
  }

  private Path entryPath(String name) {
    if (name.isEmpty() || name.startsWith(".") || name.contains("/")) {
      throw new IllegalArgumentException("not a name for an entry: " + name);
    }
    return root.resolve("kit").resolve(name);
  }

  /// Deletes a folder with all that is in it, without following links out of it.
  static void deleteTree(Path path) throws IOException {
    try {
      Files.walkFileTree(
          path,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.delete(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure)
                throws IOException {
              if (failure != null) {
                throw failure;
              }
              Files.delete(folder);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (NoSuchFileException _) {
      // Nothing to delete.
    }
  }
}
