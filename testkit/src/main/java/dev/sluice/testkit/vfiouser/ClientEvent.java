package dev.sluice.testkit.vfiouser;

import dev.sluice.host.EventFd;
import dev.sluice.vfiouser.transport.Attachment;
import dev.sluice.vfiouser.transport.FdAttachment;
import dev.sluice.vfiouser.transport.LocalEvent;
import java.io.IOException;

/// An event that a client shares: an eventfd for a socket, or a counter for a transport within the
/// process.
public abstract sealed class ClientEvent implements AutoCloseable {
  private ClientEvent() {}

  /// An eventfd.
  public static ClientEvent eventFd() throws IOException {
    EventFd event = EventFd.create();
    return new File(event, new FdAttachment(event.duplicate()));
  }

  /// A counter of this process.
  public static ClientEvent local() {
    return new Local(new LocalEvent());
  }

  /// How often it was signalled since the last call.
  public abstract long take();

  /// Signals it.
  public abstract void signal();

  /// What stands for the event beside a message. Closed with this.
  public abstract Attachment attachment();

  @Override
  public abstract void close();

  private static final class File extends ClientEvent {
    private final EventFd event;
    private final FdAttachment attachment;

    private File(EventFd event, FdAttachment attachment) {
      this.event = event;
      this.attachment = attachment;
    }

    @Override
    public long take() {
      return event.take();
    }

    @Override
    public void signal() {
      event.signal();
    }

    @Override
    public Attachment attachment() {
      return attachment;
    }

    @Override
    public void close() {
      event.close();
      attachment.close();
    }
  }

  private static final class Local extends ClientEvent {
    private final LocalEvent event;

    private Local(LocalEvent event) {
      this.event = event;
    }

    @Override
    public long take() {
      return event.take();
    }

    @Override
    public void signal() {
      event.signal();
    }

    @Override
    public Attachment attachment() {
      return event;
    }

    @Override
    public void close() {
      event.close();
    }
  }
}
