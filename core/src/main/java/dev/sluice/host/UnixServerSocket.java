package dev.sluice.host;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A UNIX socket that accepts connections, and its file.
///
/// The file is readable and writable by its owner only from before the first connection can be
/// made. A socket file that a dead server left is replaced; one that a live server answers on is
/// not.
public final class UnixServerSocket extends Pollable implements AutoCloseable {
  /// Connections that may wait. One client is served at a time; a second one that waits is told by
  /// nothing but silence.
  private static final int BACKLOG = 4;

  private final Path path;
  private final @Nullable Object fileKey;
  private final Fd fd;
  private final EventFd stop;
  private final PollSet waiting = new PollSet(2);

  private UnixServerSocket(Path path, @Nullable Object fileKey, Fd fd, EventFd stop) {
    this.path = path;
    this.fileKey = fileKey;
    this.fd = fd;
    this.stop = stop;
    waiting.set(0, this);
    waiting.set(1, stop);
  }

  /// Makes the socket file and listens on it.
  ///
  /// @throws IOException when the path is too long, its directory is missing or not writable,
  ///   something that is not a socket is there, or a server is alive on it
  public static UnixServerSocket listen(Path path) throws IOException {
    Fd fd = UnixSocket.open(Libc.SOCK_NONBLOCK);
    EventFd stop = null;
    boolean bound = false;
    try {
      bind(fd, path);
      bound = true;
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
      stop = EventFd.create();
      // Nobody can connect before this call, so nobody saw the file with wider rights.
      int failure = Libc.listen(fd.number(), BACKLOG);
      if (failure < 0) {
        throw new SystemCallException("listen", Errno.of(-failure), "listen on " + path);
      }
      return new UnixServerSocket(path, fileKey(path), fd, stop);
    } catch (IOException e) {
      fd.close();
      if (stop != null) {
        stop.close();
      }
      if (bound) {
        Files.deleteIfExists(path);
      }
      throw e;
    }
  }

  private static void bind(Fd fd, Path path) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = SocketAddress.of(path, arena);
      int failure = Libc.bind(fd.number(), address);
      if (-failure == Errno.EADDRINUSE.number()) {
        removeStale(path);
        failure = Libc.bind(fd.number(), address);
      }
      if (failure < 0) {
        throw new SystemCallException("bind", Errno.of(-failure), "make the socket " + path);
      }
    }
  }

  /// Removes a socket file that nobody answers on.
  private static void removeStale(Path path) throws IOException {
    if (!isSocket(path)) {
      throw new IOException("could not make the socket " + path + ": something else is there");
    }
    // Without waiting: a live server whose backlog is full says EAGAIN.
    try (UnixSocket probe = UnixSocket.connect(path, Libc.SOCK_NONBLOCK)) {
      probe.shutdown();
    } catch (SystemCallException e) {
      if (e.errno().number() == Errno.ECONNREFUSED.number()) {
        Files.deleteIfExists(path);
        return;
      }
      if (e.errno().number() != Errno.EAGAIN.number()) {
        throw e;
      }
    }
    throw new IOException(
        "could not make the socket " + path + ": another server is answering on it");
  }

  private static boolean isSocket(Path path) throws IOException {
    // Java knows no type "socket": it is what is none of the others.
    try {
      return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
          .isOther();
    } catch (NoSuchFileException e) {
      return true; // gone in the meantime
    }
  }

  private static @Nullable Object fileKey(Path path) throws IOException {
    return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
        .fileKey();
  }

  /// The socket file.
  public Path path() {
    return path;
  }

  /// Waits for the next connection. For one thread.
  ///
  /// @return null after [#stop()]
  /// @throws SystemCallException such as EMFILE; the connection then still waits
  public @Nullable UnixSocket accept() throws SystemCallException {
    while (true) {
      int ready = waiting.await(-1);
      if ((ready & 2) != 0) {
        return null;
      }
      int number = Libc.accept4(fd.number(), Libc.SOCK_CLOEXEC);
      if (number >= 0) {
        return new UnixSocket(new Fd(number));
      }
      if (-number != Errno.EAGAIN.number() && -number != Errno.EINTR.number()) {
        throw new SystemCallException(
            "accept4", Errno.of(-number), "accept a connection on " + path);
      }
    }
  }

  /// Lets [#accept()] return null, now and for ever. From any thread.
  public void stop() {
    stop.signal();
  }

  /// Waits for [#stop()], for `nanos` at the most.
  ///
  /// @return whether it was called
  public boolean awaitStop(long nanos) throws SystemCallException {
    PollSet alone = new PollSet(1);
    alone.set(0, stop);
    return alone.await(nanos) != 0;
  }

  @Override
  Fd fd() {
    return fd;
  }

  /// Closes the socket and removes its file, unless somebody replaced it. Not while another thread
  /// is in [#accept()].
  @Override
  public void close() throws IOException {
    fd.close();
    stop.close();
    try {
      if (Objects.equals(fileKey, fileKey(path))) {
        Files.deleteIfExists(path);
      }
    } catch (NoSuchFileException e) {
      // Somebody cleaned up before us, which is as good.
    }
  }

  @Override
  public String toString() {
    return "server socket " + path;
  }
}
