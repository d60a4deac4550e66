package dev.sluice.host;

/// An error number of Linux, as system calls report it and as vfio-user carries it in an error
/// reply.
///
/// The numbers are those of `asm-generic/errno.h`, which x86-64 and aarch64 share.
///
/// @param number the error number, positive
/// @param name its symbol, such as `EINVAL`; `errno NUMBER` when there is none here
/// @param text what it means, in a few words
public record Errno(int number, String name, String text) {
  /// Operation not permitted.
  public static final Errno EPERM = new Errno(1, "EPERM", "operation not permitted");

  /// No such file, or nothing that matches.
  public static final Errno ENOENT = new Errno(2, "ENOENT", "no such file or entry");

  /// A signal came before anything happened.
  public static final Errno EINTR = new Errno(4, "EINTR", "interrupted system call");

  /// Input or output failed.
  public static final Errno EIO = new Errno(5, "EIO", "input/output error");

  /// The descriptor is not open.
  public static final Errno EBADF = new Errno(9, "EBADF", "bad file descriptor");

  /// Nothing to do now; the same number as EWOULDBLOCK.
  public static final Errno EAGAIN = new Errno(11, "EAGAIN", "would block or timed out");

  /// No memory, or no room for another mapping.
  public static final Errno ENOMEM = new Errno(12, "ENOMEM", "out of memory or mappings");

  /// The file's rights do not allow it.
  public static final Errno EACCES = new Errno(13, "EACCES", "permission denied");

  /// An address outside what may be touched.
  public static final Errno EFAULT = new Errno(14, "EFAULT", "bad address");

  /// Still in use.
  public static final Errno EBUSY = new Errno(16, "EBUSY", "resource busy");

  /// There is one already.
  public static final Errno EEXIST = new Errno(17, "EEXIST", "already exists");

  /// No such device, or one that cannot do it.
  public static final Errno ENODEV = new Errno(19, "ENODEV", "no such device");

  /// A part of the path is not a directory.
  public static final Errno ENOTDIR = new Errno(20, "ENOTDIR", "not a directory");

  /// An argument that makes no sense.
  public static final Errno EINVAL = new Errno(22, "EINVAL", "invalid argument");

  /// The whole system's table of open files is full.
  public static final Errno ENFILE = new Errno(23, "ENFILE", "too many open files in the system");

  /// The process has as many open files as it may.
  public static final Errno EMFILE = new Errno(24, "EMFILE", "too many open files");

  /// No space on the device or in a table.
  public static final Errno ENOSPC = new Errno(28, "ENOSPC", "no space left");

  /// The file system is read-only.
  public static final Errno EROFS = new Errno(30, "EROFS", "read-only file system");

  /// The other end is closed.
  public static final Errno EPIPE = new Errno(32, "EPIPE", "the other end is closed");

  /// The call is not there.
  public static final Errno ENOSYS = new Errno(38, "ENOSYS", "system call not implemented");

  /// Something is bound to the address.
  public static final Errno EADDRINUSE = new Errno(98, "EADDRINUSE", "address already in use");

  /// The peer closed the connection with data unread.
  public static final Errno ECONNRESET = new Errno(104, "ECONNRESET", "connection reset by peer");

  /// The socket is not connected.
  public static final Errno ENOTCONN = new Errno(107, "ENOTCONN", "socket is not connected");

  /// Nobody listens there.
  public static final Errno ECONNREFUSED = new Errno(111, "ECONNREFUSED", "connection refused");

  private static final Errno[] KNOWN = {
    EPERM,
    ENOENT,
    EINTR,
    EIO,
    EBADF,
    EAGAIN,
    ENOMEM,
    EACCES,
    EFAULT,
    EBUSY,
    EEXIST,
    ENODEV,
    ENOTDIR,
    EINVAL,
    ENFILE,
    EMFILE,
    ENOSPC,
    EROFS,
    EPIPE,
    ENOSYS,
    EADDRINUSE,
    ECONNRESET,
    ENOTCONN,
    ECONNREFUSED
  };

  /// The error of that number.
  public static Errno of(int number) {
    for (Errno known : KNOWN) {
      if (known.number == number) {
        return known;
      }
    }
    return new Errno(number, "errno " + number, "see errno(3)");
  }

  @Override
  public String toString() {
    return name + " (" + text + ")";
  }
}
