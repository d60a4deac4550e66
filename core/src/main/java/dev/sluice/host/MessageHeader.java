package dev.sluice.host;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;

/// The kernel's `struct msghdr` with one `struct iovec` and room for one `SCM_RIGHTS` control
/// message, made once for each direction of a socket and used for every call.
///
/// ```
/// msghdr, 56 bytes
///  0      8         12    16    24        32        40           48      52   56
///  | name | namelen | pad | iov | iovlen  | control | controllen | flags | pad |
/// iovec, 16 bytes                cmsghdr, 16 bytes, then the descriptors
///  0      8     16                0     8       12     16    20
///  | base | len |                 | len | level | type | fd0 | fd1 | ...
/// ```
final class MessageHeader {
  /// The most descriptors that the kernel passes in one message (`SCM_MAX_FD`): nothing a peer
  /// attaches is cut off for want of room.
  private static final int MOST_FDS = 253;

  private static final long IOV = 16;
  private static final long IOVLEN = 24;
  private static final long CONTROL = 32;
  private static final long CONTROLLEN = 40;
  private static final long FLAGS = 48;
  private static final long BYTES = 56;

  private static final long IOVEC_LEN = 8;
  private static final long IOVEC_BYTES = 16;

  private static final long CMSG_LEVEL = 8;
  private static final long CMSG_TYPE = 12;
  private static final long CMSG_HEADER = 16;
  private static final long CONTROL_ROOM = aligned(CMSG_HEADER + MOST_FDS * (long) Integer.BYTES);

  private final MemorySegment header;
  private final MemorySegment vector;
  private final MemorySegment control;

  MessageHeader() {
    Arena arena = Arena.ofAuto();
    header = arena.allocate(BYTES, Long.BYTES);
    vector = arena.allocate(IOVEC_BYTES, Long.BYTES);
    control = arena.allocate(CONTROL_ROOM, Long.BYTES);
    header.set(ADDRESS, IOV, vector);
    header.set(JAVA_LONG, IOVLEN, 1);
  }

  /// The `struct msghdr`.
  MemorySegment segment() {
    return header;
  }

  /// Points at the bytes to move; `bytes` is native memory and stays alive during the call.
  void setBytes(MemorySegment bytes, long offset, long length) {
    Objects.checkFromIndexSize(offset, length, bytes.byteSize());
    if (!bytes.isNative()) {
      throw new IllegalArgumentException("not native memory: " + bytes);
    }
    vector.set(JAVA_LONG, 0, bytes.address() + offset);
    vector.set(JAVA_LONG, IOVEC_LEN, length);
  }

  /// Makes room for received descriptors.
  void expectFds() {
    header.set(ADDRESS, CONTROL, control);
    header.set(JAVA_LONG, CONTROLLEN, CONTROL_ROOM);
    header.set(JAVA_INT, FLAGS, 0);
  }

  /// Attaches `fds`, or nothing when there are none.
  void attachFds(List<Fd> fds) {
    if (fds.isEmpty()) {
      header.set(ADDRESS, CONTROL, MemorySegment.NULL);
      header.set(JAVA_LONG, CONTROLLEN, 0);
      return;
    }
    if (fds.size() > MOST_FDS) {
      throw new IllegalArgumentException(
          "one message carries " + MOST_FDS + " descriptors at the most: " + fds.size());
    }
    long length = CMSG_HEADER + fds.size() * (long) Integer.BYTES;
    control.set(JAVA_LONG, 0, length);
    control.set(JAVA_INT, CMSG_LEVEL, Libc.SOL_SOCKET);
    control.set(JAVA_INT, CMSG_TYPE, Libc.SCM_RIGHTS);
    for (int i = 0; i < fds.size(); i++) {
      control.set(JAVA_INT, CMSG_HEADER + i * (long) Integer.BYTES, fds.get(i).number());
    }
    header.set(ADDRESS, CONTROL, control);
    header.set(JAVA_LONG, CONTROLLEN, aligned(length));
  }

  /// Moves the descriptors that came with a received message into `fds`.
  void collectFds(List<Fd> fds) {
    long end = header.get(JAVA_LONG, CONTROLLEN);
    long at = 0;
    while (at + CMSG_HEADER <= end) {
      long length = control.get(JAVA_LONG, at);
      if (length < CMSG_HEADER || at + length > end) {
        return;
      }
      if (control.get(JAVA_INT, at + CMSG_LEVEL) == Libc.SOL_SOCKET
          && control.get(JAVA_INT, at + CMSG_TYPE) == Libc.SCM_RIGHTS) {
        for (long fd = at + CMSG_HEADER; fd + Integer.BYTES <= at + length; fd += Integer.BYTES) {
          fds.add(new Fd(control.get(JAVA_INT, fd)));
        }
      }
      at += aligned(length);
    }
  }

  /// Whether the kernel had to throw descriptors away (`MSG_CTRUNC`).
  boolean fdsWereCut() {
    return (header.get(JAVA_INT, FLAGS) & Libc.MSG_CTRUNC) != 0;
  }

  private static long aligned(long length) {
    return (length + Long.BYTES - 1) & -Long.BYTES;
  }
}
