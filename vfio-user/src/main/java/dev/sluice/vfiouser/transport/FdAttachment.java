package dev.sluice.vfiouser.transport;

import dev.sluice.host.EventFd;
import dev.sluice.host.Fd;
import dev.sluice.host.MappedFile;
import java.io.IOException;

/// A file descriptor beside a message.
public final class FdAttachment implements Attachment {
  private final Fd fd;
  private boolean taken;

  /// Takes over `fd`.
  @SuppressWarnings("exports") // Descriptors are for the transport and its test client alone.
  public FdAttachment(Fd fd) {
    this.fd = fd;
  }

  Fd fd() {
    return fd;
  }

  @Override
  public SharedBytes map(long offset, long length, boolean writable) throws IOException {
    MappedFile mapped = MappedFile.map(fd, offset, length, writable);
    return new SharedBytes(mapped.segment(), mapped.isLasting(), mapped::close);
  }

  @Override
  public Event takeEvent() throws IOException {
    EventFd event = EventFd.adopt(fd);
    taken = true;
    return new FdEvent(event);
  }

  @Override
  public void close() {
    if (!taken) {
      fd.close();
    }
  }

  /// An eventfd as an [Event].
  record FdEvent(EventFd eventFd) implements Event {
    @Override
    public void signal() {
      eventFd.signal();
    }

    @Override
    public long take() {
      return eventFd.take();
    }

    @Override
    public void close() {
      eventFd.close();
    }
  }
}
