package dev.sluice.host;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A kernel event counter (`eventfd(2)`): one side adds, the other waits and takes.
///
/// [#signal()] may come from any thread, also while another one closes: a closed event swallows it.
/// It never waits: the file is made non-blocking, and a counter that is full already says what the
/// signal would.
public final class EventFd extends Pollable implements AutoCloseable {
  private static final MemorySegment ONE = Arena.global().allocateFrom(JAVA_LONG, 1L);
  private static final String KERNEL_NAME = "anon_inode:[eventfd]";

  private final Fd fd;
  private boolean closed;

  private EventFd(Fd fd) {
    this.fd = fd;
  }

  /// A new event with the counter at zero.
  public static EventFd create() throws SystemCallException {
    int number = Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK);
    if (number < 0) {
      throw new SystemCallException("eventfd", Errno.of(-number), "make an event");
    }
    return new EventFd(new Fd(number));
  }

  /// Takes over a descriptor that came from a peer. On failure the caller keeps it.
  ///
  /// @throws SystemCallException EINVAL when it is something else, such as a pipe, which a peer
  ///   could let us block on
  public static EventFd adopt(Fd fd) throws SystemCallException {
    String description = fd.description();
    if (!description.isEmpty() && !description.equals(KERNEL_NAME)) {
      throw new SystemCallException(
          "eventfd", Errno.EINVAL, "use " + fd + " as an event: it is " + description);
    }
    fd.setNonBlocking();
    return new EventFd(fd);
  }

  /// Adds one to the counter, which wakes whoever waits.
  public synchronized void signal() {
    if (!closed) {
      // EAGAIN: the counter is at its end, so the other side is told already. EINTR cannot be: the
      // write does not sleep.
      Libc.write(fd.number(), ONE);
    }
  }

  /// Takes the counter's value and sets it to zero.
  ///
  /// @return what it was; 0 when nobody signalled
  public synchronized long take() {
    if (closed) {
      return 0;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(JAVA_LONG);
      return Libc.read(fd.number(), value) == value.byteSize() ? value.get(JAVA_LONG, 0) : 0;
    }
  }

  /// Another descriptor of the same event, to be sent to a peer.
  public Fd duplicate() throws SystemCallException {
    return fd.duplicate();
  }

  @Override
  Fd fd() {
    return fd;
  }

  @Override
  public synchronized void close() {
    closed = true;
    fd.close();
  }

  @Override
  public String toString() {
    return "event on " + fd;
  }
}
