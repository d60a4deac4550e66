package dev.sluice.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/// A file descriptor and the duty to close it.
///
/// Who holds an `Fd` owns it. The number never leaves this package, so that nothing can use it
/// after the close, when the kernel may have given it to another file.
public final class Fd implements AutoCloseable {
  private final int number;
  private final AtomicBoolean open = new AtomicBoolean(true);

  /// Takes over an open descriptor.
  Fd(int number) {
    if (number < 0) {
      throw new IllegalArgumentException("not a file descriptor: " + number);
    }
    this.number = number;
  }

  /// The number, for a system call.
  ///
  /// @throws IllegalStateException after [#close()]
  int number() {
    if (!open.get()) {
      throw new IllegalStateException("file descriptor " + number + " is closed");
    }
    return number;
  }

  /// Another descriptor of the same open file, closed on exec.
  public Fd duplicate() throws SystemCallException {
    int copy = Libc.fcntl(number(), Libc.F_DUPFD_CLOEXEC, 0);
    if (copy < 0) {
      throw new SystemCallException("fcntl", Errno.of(-copy), "duplicate " + this);
    }
    return new Fd(copy);
  }

  /// Makes reads and writes of the open file return at once, for everybody who has it.
  void setNonBlocking() throws SystemCallException {
    int flags = Libc.fcntl(number(), Libc.F_GETFL, 0);
    int set = flags < 0 ? flags : Libc.fcntl(number(), Libc.F_SETFL, flags | Libc.O_NONBLOCK);
    if (set < 0) {
      throw new SystemCallException("fcntl", Errno.of(-set), "make " + this + " non-blocking");
    }
  }

  /// What the kernel calls the open file, such as `anon_inode:[eventfd]`; empty where `/proc` is
  /// not mounted.
  String description() {
    try {
      return Files.readSymbolicLink(Path.of("/proc/self/fd/" + number())).toString();
    } catch (IOException e) {
      return "";
    }
  }

  /// Closes the descriptor; a second call does nothing.
  @Override
  public void close() {
    if (open.compareAndSet(true, false)) {
      // Linux has given the number up whatever close returns, so there is nothing to retry or to
      // tell.
      Libc.close(number);
    }
  }

  @Override
  public String toString() {
    return "fd " + number;
  }
}
