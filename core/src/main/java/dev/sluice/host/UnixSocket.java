package dev.sluice.host;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/// A connected stream socket of the UNIX family, which carries file descriptors beside its bytes.
///
/// One thread receives; any thread sends, and a message is never mixed with another's.
/// [#shutdown()] from any thread ends a receive or send that waits. The calls allocate nothing
/// unless descriptors arrive.
public final class UnixSocket extends Pollable implements AutoCloseable {
  private static final int SO_PEERCRED = 17;
  private static final long UCRED_BYTES = 12;

  private final Fd fd;
  private final ReentrantLock receiving = new ReentrantLock();
  private final MessageHeader received = new MessageHeader();
  private final ReentrantLock sending = new ReentrantLock();
  private final MessageHeader sent = new MessageHeader();
  private final Object ending = new Object();
  private boolean closed;

  UnixSocket(Fd fd) {
    this.fd = fd;
  }

  /// Connects to the socket at `path`.
  public static UnixSocket connect(Path path) throws IOException {
    return connect(path, 0);
  }

  static UnixSocket connect(Path path, int flags) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = SocketAddress.of(path, arena);
      Fd fd = open(flags);
      int failure = Libc.connect(fd.number(), address);
      if (failure < 0) {
        fd.close();
        throw new SystemCallException("connect", Errno.of(-failure), "connect to " + path);
      }
      return new UnixSocket(fd);
    }
  }

  static Fd open(int flags) throws SystemCallException {
    int number = Libc.socket(Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC | flags);
    if (number < 0) {
      throw new SystemCallException("socket", Errno.of(-number), "make a UNIX socket");
    }
    return new Fd(number);
  }

  /// Two sockets connected to each other.
  public static List<UnixSocket> pair() throws SystemCallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment two = arena.allocate(JAVA_INT, 2);
      int failure = Libc.socketpair(Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, two);
      if (failure < 0) {
        throw new SystemCallException(
            "socketpair", Errno.of(-failure), "make a pair of UNIX sockets");
      }
      return List.of(
          new UnixSocket(new Fd(two.getAtIndex(JAVA_INT, 0))),
          new UnixSocket(new Fd(two.getAtIndex(JAVA_INT, 1))));
    }
  }

  /// Lets a send that the peer does not take fail with EAGAIN after `limit`, which is rounded to
  /// microseconds.
  public void setSendTimeout(Duration limit) throws SystemCallException {
    try (Arena arena = Arena.ofConfined()) {
      // struct timeval: seconds, microseconds
      MemorySegment value = arena.allocate(JAVA_LONG, 2);
      value.setAtIndex(JAVA_LONG, 0, limit.toSeconds());
      value.setAtIndex(JAVA_LONG, 1, limit.toNanosPart() / 1000);
      int failure = Libc.setsockopt(fd.number(), Libc.SOL_SOCKET, Libc.SO_SNDTIMEO, value);
      if (failure < 0) {
        throw new SystemCallException(
            "setsockopt", Errno.of(-failure), "limit the time of a send on " + fd);
      }
    }
  }

  /// The process id of the other end, as it was when it connected.
  public int peerProcess() throws SystemCallException {
    try (Arena arena = Arena.ofConfined()) {
      // struct ucred: pid, uid, gid, 4 bytes each
      MemorySegment credentials = arena.allocate(UCRED_BYTES, Integer.BYTES);
      MemorySegment length = arena.allocateFrom(JAVA_INT, (int) UCRED_BYTES);
      int failure = Libc.getsockopt(fd.number(), Libc.SOL_SOCKET, SO_PEERCRED, credentials, length);
      if (failure < 0) {
        throw new SystemCallException(
            "getsockopt", Errno.of(-failure), "ask who is at the other end of " + fd);
      }
      return credentials.get(JAVA_INT, 0);
    }
  }

  /// Waits for bytes and takes up to `length` of them.
  ///
  /// Descriptors that came with them are added to `fds`, which then owns them; they are closed on
  /// exec. The kernel ends a receive at the bytes that carry descriptors, so those of a later
  /// message never come with an earlier one's bytes if each message is received by its own calls.
  ///
  /// @param into native memory
  /// @return bytes taken, 1 or more; -1 when the peer has ended or [#shutdown()] was called
  public long receive(MemorySegment into, long offset, long length, List<Fd> fds)
      throws SystemCallException {
    return receive(into, offset, length, fds, Libc.MSG_CMSG_CLOEXEC);
  }

  /// As [#receive], of what has arrived: waits for nothing.
  ///
  /// @return bytes taken; 0 when there are none; -1 when the peer has ended or [#shutdown()] was
  ///   called
  public long receiveNow(MemorySegment into, long offset, long length, List<Fd> fds)
      throws SystemCallException {
    return receive(into, offset, length, fds, Libc.MSG_CMSG_CLOEXEC | Libc.MSG_DONTWAIT);
  }

  private long receive(MemorySegment into, long offset, long length, List<Fd> fds, int flags)
      throws SystemCallException {
    receiving.lock();
    try {
      while (true) {
        received.setBytes(into, offset, length);
        received.expectFds();
        long got = Libc.recvmsg(fd.number(), received.segment(), flags);
        if (got >= 0) {
          received.collectFds(fds);
          if (received.fdsWereCut()) {
            throw new SystemCallException(
                "recvmsg",
                Errno.EMFILE,
                "receive all descriptors of a message on " + fd + " (the kernel cut some off)");
          }
          return got == 0 ? -1 : got;
        }
        if (-got == Errno.ECONNRESET.number()) {
          return -1;
        }
        if (-got == Errno.EAGAIN.number() && (flags & Libc.MSG_DONTWAIT) != 0) {
          return 0;
        }
        if (-got != Errno.EINTR.number()) {
          throw new SystemCallException("recvmsg", Errno.of((int) -got), "receive from " + fd);
        }
      }
    } finally {
      receiving.unlock();
    }
  }

  /// Sends `length` bytes, with `fds` attached to the first; all of it goes in one system call
  /// unless the socket's buffer fills up.
  ///
  /// @param from native memory
  /// @param fds stay the caller's; the peer gets copies
  /// @throws SystemCallException EPIPE or ECONNRESET when the peer has ended, EAGAIN when it took
  ///   nothing for the time of [#setSendTimeout]: a part may have been sent, so that the stream is
  ///   of no more use
  public void send(MemorySegment from, long offset, long length, List<Fd> fds)
      throws SystemCallException {
    sending.lock();
    try {
      sent.attachFds(fds);
      long done = 0;
      while (done < length) {
        sent.setBytes(from, offset + done, length - done);
        long went = Libc.sendmsg(fd.number(), sent.segment(), Libc.MSG_NOSIGNAL);
        if (went >= 0) {
          done += went;
          sent.attachFds(List.of());
        } else if (-went != Errno.EINTR.number()) {
          throw new SystemCallException(
              "sendmsg", Errno.of((int) -went), "send " + length + " bytes to " + fd);
        }
      }
    } finally {
      sending.unlock();
    }
  }

  /// Sends some hundred bytes if nobody has to be waited for: no peer that takes nothing, and no
  /// thread that sends. So short a message goes as a whole or not at all.
  ///
  /// @param from native memory
  /// @return false when nothing was sent
  /// @throws SystemCallException as for [#send]
  public boolean sendNow(MemorySegment from, long offset, long length) throws SystemCallException {
    if (!sending.tryLock()) {
      return false;
    }
    try {
      sent.attachFds(List.of());
      sent.setBytes(from, offset, length);
      long went = Libc.sendmsg(fd.number(), sent.segment(), Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT);
      if (-went == Errno.EAGAIN.number() || -went == Errno.EINTR.number()) {
        return false;
      }
      if (went != length) {
        throw new SystemCallException(
            "sendmsg",
            went < 0 ? Errno.of((int) -went) : Errno.EAGAIN,
            "send " + length + " bytes to " + fd + " as a whole");
      }
      return true;
    } finally {
      sending.unlock();
    }
  }

  /// Whether a send of some hundred bytes would not have to wait: at least half of the socket's
  /// buffer is free, or the peer has ended.
  public boolean isWritable() throws SystemCallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment entry = arena.allocate(PollSet.ENTRY, PollSet.ENTRY);
      entry.set(JAVA_INT, 0, fd.number());
      entry.set(JAVA_SHORT, PollSet.EVENTS, Libc.POLLOUT);
      int ready = Libc.poll(entry, 1, 0);
      if (ready < 0 && -ready != Errno.EINTR.number()) {
        throw new SystemCallException(
            "poll", Errno.of(-ready), "ask whether " + fd + " takes more");
      }
      return ready > 0;
    }
  }

  /// Ends both directions: the peer sees the end of the stream, and so does a thread that waits in
  /// [#receive].
  public void shutdown() {
    synchronized (ending) {
      if (!closed) {
        // ENOTCONN: the peer was faster. Either way the stream has ended.
        Libc.shutdown(fd.number(), Libc.SHUT_RDWR);
      }
    }
  }

  /// Shuts down and closes, after the threads inside [#receive] and [#send] have left; a second
  /// call does nothing.
  @Override
  public void close() {
    shutdown();
    receiving.lock();
    sending.lock();
    try {
      synchronized (ending) {
        closed = true;
        fd.close();
      }
    } finally {
      sending.unlock();
      receiving.unlock();
    }
  }

  @Override
  Fd fd() {
    return fd;
  }

  @Override
  public String toString() {
    return "socket on " + fd;
  }
}
