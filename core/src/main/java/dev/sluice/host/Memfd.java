package dev.sluice.host;

import java.lang.foreign.Arena;

/// Anonymous files in memory (`memfd_create(2)`), the kind that a VMM shares its guest's RAM by.
public final class Memfd {
  private Memfd() {}

  /// A new file of `size` zero bytes.
  ///
  /// @param name seen in `/proc/PID/maps`, for debugging only
  public static Fd create(String name, long size) throws SystemCallException {
    int number;
    try (Arena arena = Arena.ofConfined()) {
      number =
          Libc.memfdCreate(arena.allocateFrom(name), Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING);
    }
    if (number < 0) {
      throw new SystemCallException(
          "memfd_create", Errno.of(-number), "make a memory file " + name);
    }
    Fd fd = new Fd(number);
    try {
      resize(fd, size);
    } catch (SystemCallException e) {
      fd.close();
      throw e;
    }
    return fd;
  }

  /// Lets nobody make the file shorter any more, this process included.
  public static void sealSize(Fd fd) throws SystemCallException {
    int failure = Libc.fcntl(fd.number(), Libc.F_ADD_SEALS, Libc.F_SEAL_SHRINK);
    if (failure < 0) {
      throw new SystemCallException(
          "fcntl", Errno.of(-failure), "seal " + fd + " against being shortened");
    }
  }

  /// Makes the file longer, by zeros, or shorter.
  public static void resize(Fd fd, long size) throws SystemCallException {
    int failure = Libc.ftruncate(fd.number(), size);
    if (failure < 0) {
      throw new SystemCallException(
          "ftruncate", Errno.of(-failure), "give " + fd + " " + size + " bytes");
    }
  }
}
