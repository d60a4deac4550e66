package dev.sluice.host;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Locale;

/// Every symbol and constant of the C library that Sluice uses, and nothing else.
///
/// Each call returns what the C function returns, except that a failure (-1) comes back as the
/// *negated* errno, so that no caller has to read errno apart. Numbers and layouts are those of
/// 64-bit little-endian Linux; x86-64 and aarch64 agree on every one of them.
final class Libc {
  static final int AF_UNIX = 1;
  static final int SOCK_STREAM = 1;
  static final int SOCK_NONBLOCK = 0x800;
  static final int SOCK_CLOEXEC = 0x80000;
  static final int SOL_SOCKET = 1;
  static final int SO_ERROR = 4;
  static final int SO_SNDTIMEO = 21;
  static final int SCM_RIGHTS = 1;
  static final int MSG_CTRUNC = 0x8;
  static final int MSG_DONTWAIT = 0x40;
  static final int MSG_NOSIGNAL = 0x4000;
  static final int MSG_CMSG_CLOEXEC = 0x40000000;
  static final int SHUT_RDWR = 2;

  static final short POLLIN = 0x1;
  static final short POLLOUT = 0x4;
  static final short POLLNVAL = 0x20;

  static final int PROT_READ = 1;
  static final int PROT_WRITE = 2;
  static final int MAP_SHARED = 1;

  static final int F_GETFL = 3;
  static final int F_SETFL = 4;
  static final int F_DUPFD_CLOEXEC = 1030;
  static final int F_ADD_SEALS = 1033;
  static final int F_GET_SEALS = 1034;
  static final int F_SEAL_SHRINK = 0x2;
  static final int O_NONBLOCK = 0x800;
  static final int EFD_CLOEXEC = 0x80000;
  static final int EFD_NONBLOCK = 0x800;
  static final int MFD_CLOEXEC = 1;
  static final int MFD_ALLOW_SEALING = 2;
  static final int AT_EMPTY_PATH = 0x1000;
  static final int STATX_TYPE = 0x1;
  static final int STATX_SIZE = 0x200;
  static final int S_IFMT = 0xf000;
  static final int S_IFREG = 0x8000;

  private static final MemoryLayout CAPTURE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      CAPTURE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  /// Where a call leaves errno: one for each thread, since a thread makes one call at a time.
  private static final ThreadLocal<MemorySegment> STATE =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CAPTURE));

  private static final Linker LINKER = linker();

  private static final MethodHandle SOCKET = bind("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle SOCKETPAIR =
      bind("socketpair", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);
  private static final MethodHandle BIND = bind("bind", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle LISTEN = bind("listen", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle ACCEPT4 =
      bind("accept4", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, JAVA_INT);
  private static final MethodHandle CONNECT =
      bind("connect", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle SHUTDOWN = bind("shutdown", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle SETSOCKOPT =
      bind("setsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle GETSOCKOPT =
      bind("getsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
  private static final MethodHandle SENDMSG =
      bind("sendmsg", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle RECVMSG =
      bind("recvmsg", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle POLL = bind("poll", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle CLOSE = bind("close", JAVA_INT, JAVA_INT);
  private static final MethodHandle READ = bind("read", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
  private static final MethodHandle WRITE = bind("write", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
  private static final MethodHandle EVENTFD = bind("eventfd", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle MEMFD_CREATE =
      bind("memfd_create", JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle FTRUNCATE = bind("ftruncate", JAVA_INT, JAVA_INT, JAVA_LONG);
  private static final MethodHandle STATX =
      bind("statx", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS);
  private static final MethodHandle MMAP =
      bind("mmap", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
  private static final MethodHandle MUNMAP = bind("munmap", JAVA_INT, JAVA_LONG, JAVA_LONG);
  // int fcntl(int fd, int cmd, ...): variadic from the third argument on.
  private static final MethodHandle FCNTL =
      LINKER.downcallHandle(
          symbol("fcntl"),
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT),
          Linker.Option.captureCallState("errno"),
          Linker.Option.firstVariadicArg(2));

  private static final MethodHandle SYSCALL =
      LINKER.downcallHandle(
          symbol("syscall"),
          FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT),
          Linker.Option.captureCallState("errno"),
          Linker.Option.firstVariadicArg(1));

  /// The one number here in which the two architectures differ.
  private static final long SYS_MEMBARRIER =
      System.getProperty("os.arch", "").equalsIgnoreCase("aarch64") ? 283 : 324;

  private Libc() {}

  private static Linker linker() {
    String os = System.getProperty("os.name", "");
    String arch = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
    if (!os.equals("Linux") || !(arch.equals("amd64") || arch.equals("aarch64"))) {
      throw new UnsupportedOperationException(
          "file descriptors over UNIX sockets need Linux on x86-64 or aarch64; this is "
              + os
              + " on "
              + arch);
    }
    return Linker.nativeLinker();
  }

  private static MemorySegment symbol(String name) {
    return LINKER
        .defaultLookup()
        .find(name)
        .or(() -> SymbolLookup.loaderLookup().find(name))
        .orElseThrow(
            () -> new UnsupportedOperationException("the C library has no function " + name));
  }

  private static MethodHandle bind(String name, MemoryLayout result, MemoryLayout... arguments) {
    return LINKER.downcallHandle(
        symbol(name),
        FunctionDescriptor.of(result, arguments),
        Linker.Option.captureCallState("errno"));
  }

  /// The result of a call, or the negated errno if it was -1.
  private static int result(int returned, MemorySegment state) {
    return returned == -1 ? -(int) ERRNO.get(state, 0L) : returned;
  }

  private static long result(long returned, MemorySegment state) {
    return returned == -1 ? -(int) ERRNO.get(state, 0L) : returned;
  }

  /// A method handle's own throws clause is `Throwable`; a downcall to C throws nothing but an
  /// error of the JVM.
  private static Error unexpected(Throwable e) {
    if (e instanceof Error error) {
      return error;
    }
    if (e instanceof RuntimeException misuse) {
      throw misuse;
    }
    return new AssertionError("a downcall threw a checked exception", e);
  }

  static int socket(int type) {
    MemorySegment state = STATE.get();
    try {
      return result((int) SOCKET.invokeExact(state, AF_UNIX, type, 0), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int socketpair(int type, MemorySegment twoInts) {
    MemorySegment state = STATE.get();
    try {
      return result((int) SOCKETPAIR.invokeExact(state, AF_UNIX, type, 0, twoInts), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int bind(int fd, MemorySegment address) {
    MemorySegment state = STATE.get();
    try {
      return result((int) BIND.invokeExact(state, fd, address, (int) address.byteSize()), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int listen(int fd, int backlog) {
    MemorySegment state = STATE.get();
    try {
      return result((int) LISTEN.invokeExact(state, fd, backlog), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int accept4(int fd, int flags) {
    MemorySegment state = STATE.get();
    try {
      return result(
          (int) ACCEPT4.invokeExact(state, fd, MemorySegment.NULL, MemorySegment.NULL, flags),
          state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int connect(int fd, MemorySegment address) {
    MemorySegment state = STATE.get();
    try {
      return result((int) CONNECT.invokeExact(state, fd, address, (int) address.byteSize()), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int shutdown(int fd, int how) {
    MemorySegment state = STATE.get();
    try {
      return result((int) SHUTDOWN.invokeExact(state, fd, how), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int setsockopt(int fd, int level, int name, MemorySegment value) {
    MemorySegment state = STATE.get();
    try {
      return result(
          (int) SETSOCKOPT.invokeExact(state, fd, level, name, value, (int) value.byteSize()),
          state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int getsockopt(int fd, int level, int name, MemorySegment value, MemorySegment length) {
    MemorySegment state = STATE.get();
    try {
      return result((int) GETSOCKOPT.invokeExact(state, fd, level, name, value, length), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static long sendmsg(int fd, MemorySegment header, int flags) {
    MemorySegment state = STATE.get();
    try {
      return result((long) SENDMSG.invokeExact(state, fd, header, flags), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static long recvmsg(int fd, MemorySegment header, int flags) {
    MemorySegment state = STATE.get();
    try {
      return result((long) RECVMSG.invokeExact(state, fd, header, flags), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int poll(MemorySegment entries, long count, int timeoutMillis) {
    MemorySegment state = STATE.get();
    try {
      return result((int) POLL.invokeExact(state, entries, count, timeoutMillis), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int close(int fd) {
    MemorySegment state = STATE.get();
    try {
      return result((int) CLOSE.invokeExact(state, fd), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static long read(int fd, MemorySegment into) {
    MemorySegment state = STATE.get();
    try {
      return result((long) READ.invokeExact(state, fd, into, into.byteSize()), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static long write(int fd, MemorySegment from) {
    MemorySegment state = STATE.get();
    try {
      return result((long) WRITE.invokeExact(state, fd, from, from.byteSize()), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /// The C library has no function of its own for it.
  static int membarrier(int command) {
    MemorySegment state = STATE.get();
    try {
      return (int) result((long) SYSCALL.invokeExact(state, SYS_MEMBARRIER, command, 0, 0), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int eventfd(int initial, int flags) {
    MemorySegment state = STATE.get();
    try {
      return result((int) EVENTFD.invokeExact(state, initial, flags), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int memfdCreate(MemorySegment name, int flags) {
    MemorySegment state = STATE.get();
    try {
      return result((int) MEMFD_CREATE.invokeExact(state, name, flags), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int ftruncate(int fd, long size) {
    MemorySegment state = STATE.get();
    try {
      return result((int) FTRUNCATE.invokeExact(state, fd, size), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int statx(int fd, MemorySegment path, int flags, int mask, MemorySegment into) {
    MemorySegment state = STATE.get();
    try {
      return result((int) STATX.invokeExact(state, fd, path, flags, mask, into), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int fcntl(int fd, int command, int argument) {
    MemorySegment state = STATE.get();
    try {
      return result((int) FCNTL.invokeExact(state, fd, command, argument), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /// Returns the address, or the negated errno: no address of user space is negative on either
  /// architecture.
  static long mmap(long length, int protection, int flags, int fd, long offset) {
    MemorySegment state = STATE.get();
    try {
      return result(
          (long) MMAP.invokeExact(state, 0L, length, protection, flags, fd, offset), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int munmap(long address, long length) {
    MemorySegment state = STATE.get();
    try {
      return result((int) MUNMAP.invokeExact(state, address, length), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }
}
