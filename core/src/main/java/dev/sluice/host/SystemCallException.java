package dev.sluice.host;

import java.io.IOException;

/// A system call failed: which one, with what error, and what it was for.
public final class SystemCallException extends IOException {
  private static final long serialVersionUID = 1L;

  private final String call;
  private final transient Errno errno;

  /// @param call the call's name, such as `mmap`
  /// @param errno its error
  /// @param attempt what was tried, as the object of "could not", such as "map 4096 bytes of fd 7"
  public SystemCallException(String call, Errno errno, String attempt) {
    super("could not " + attempt + ": " + call + " failed with " + errno);
    this.call = call;
    this.errno = errno;
  }

  /// The call's name.
  public String call() {
    return call;
  }

  /// The error.
  public Errno errno() {
    return errno;
  }
}
