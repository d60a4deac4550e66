package dev.sluice.vfiouser.transport;

import dev.sluice.host.EventFd;
import dev.sluice.host.Fd;
import dev.sluice.host.PollSet;
import dev.sluice.host.UnixSocket;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A connected UNIX socket; attachments are file descriptors.
public final class UnixChannel implements Channel {
  private static final int SOCKET = 0;
  private static final int WAKE = 1;
  private static final int EVENT = 2;

  private final UnixSocket socket;
  private final EventFd wake;
  private final PollSet waiting = new PollSet(3);
  private final List<Fd> received = new ArrayList<>();
  private final String peer;

  /// Takes over a connected socket.
  ///
  /// @param sendLimit how long a send may wait for a peer that takes nothing
  UnixChannel(UnixSocket socket, Duration sendLimit) throws IOException {
    this.socket = socket;
    try {
      socket.setSendTimeout(sendLimit);
      peer = "process " + socket.peerProcess();
      wake = EventFd.create();
    } catch (IOException e) {
      socket.close();
      throw e;
    }
    waiting.set(WAKE, wake);
  }

  /// Connects to the server at `path`.
  public static UnixChannel connect(Path path, Duration sendLimit) throws IOException {
    return new UnixChannel(UnixSocket.connect(path), sendLimit);
  }

  @Override
  public long receive(MemorySegment into, long offset, long length, List<Attachment> attachments)
      throws IOException {
    try {
      return socket.receive(into, offset, length, received);
    } finally {
      handOver(attachments);
    }
  }

  @Override
  public long receiveNow(MemorySegment into, long offset, long length, List<Attachment> attachments)
      throws IOException {
    try {
      return socket.receiveNow(into, offset, length, received);
    } finally {
      handOver(attachments);
    }
  }

  /// Also after a receive that failed: the caller closes what did arrive.
  private void handOver(List<Attachment> attachments) {
    if (!received.isEmpty()) {
      received.forEach(fd -> attachments.add(new FdAttachment(fd)));
      received.clear();
    }
  }

  @Override
  public void send(MemorySegment from, long offset, long length, List<Attachment> attachments)
      throws IOException {
    socket.send(from, offset, length, attachments.isEmpty() ? List.of() : descriptors(attachments));
  }

  @Override
  public boolean sendNow(MemorySegment from, long offset, long length) throws IOException {
    return socket.sendNow(from, offset, length);
  }

  @Override
  public boolean isWritable() throws IOException {
    return socket.isWritable();
  }

  private static List<Fd> descriptors(List<Attachment> attachments) {
    List<Fd> fds = new ArrayList<>();
    for (Attachment attachment : attachments) {
      if (!(attachment instanceof FdAttachment descriptor)) {
        throw new IllegalArgumentException("a socket carries descriptors only: " + attachment);
      }
      fds.add(descriptor.fd());
    }
    return fds;
  }

  @Override
  public int await(boolean readable, long nanos) throws IOException {
    waiting.set(SOCKET, readable ? socket : null);
    int ready = waiting.await(nanos);
    int happened = 0;
    if ((ready & 1 << SOCKET) != 0) {
      happened |= READABLE;
    }
    if ((ready & 1 << WAKE) != 0) {
      wake.take();
      happened |= WOKEN;
    }
    if ((ready & 1 << EVENT) != 0) {
      happened |= SIGNALLED;
    }
    return happened;
  }

  @Override
  public void watch(@Nullable Event event) {
    if (event == null) {
      waiting.set(EVENT, null);
    } else if (event instanceof FdAttachment.FdEvent descriptor) {
      waiting.set(EVENT, descriptor.eventFd());
    } else {
      throw new IllegalArgumentException("not an event of a socket: " + event);
    }
  }

  @Override
  public void wake() {
    wake.signal();
  }

  @Override
  public void shutdown() {
    socket.shutdown();
    wake.signal();
  }

  @Override
  public String peer() {
    return peer;
  }

  @Override
  public void close() {
    socket.close();
    wake.close();
  }
}
