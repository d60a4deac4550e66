package dev.sluice.vfiouser.transport;

import dev.sluice.host.Errno;
import dev.sluice.host.SystemCallException;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// A counter of this process, beside a message of an [InMemoryTransport]. It may be sent any number
/// of times; all who take it share the count, as they do with an eventfd.
public final class LocalEvent implements Attachment, Event {
  private long count;
  private @Nullable Runnable watcher;

  /// An event with the count at zero.
  public LocalEvent() {}

  @Override
  public void signal() {
    Runnable told;
    synchronized (this) {
      count++;
      told = watcher;
    }
    if (told != null) {
      told.run();
    }
  }

  @Override
  public synchronized long take() {
    long taken = count;
    count = 0;
    return taken;
  }

  synchronized boolean isSignalled() {
    return count > 0;
  }

  /// Calls `watching` after each signal, or nobody.
  synchronized void onSignal(@Nullable Runnable watching) {
    watcher = watching;
  }

  @Override
  public SharedBytes map(long offset, long length, boolean writable) throws IOException {
    throw new SystemCallException("mmap", Errno.ENODEV, "map an event");
  }

  @Override
  public Event takeEvent() {
    return this;
  }

  /// Does nothing: there is nothing to give back.
  @Override
  public void close() {}
}
