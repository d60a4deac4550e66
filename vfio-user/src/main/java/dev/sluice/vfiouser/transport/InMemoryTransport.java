package dev.sluice.vfiouser.transport;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Connections within this process: no socket, no descriptor, no system call. Attachments are
/// [LocalMemory] and [LocalEvent].
///
/// For tests, for fuzzing, and for a client that runs in the server's own process.
public final class InMemoryTransport implements Listener {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<Channel> waiting = new ArrayDeque<>();
  private boolean stopped;

  /// A place that nobody has connected to yet.
  public InMemoryTransport() {}

  /// Connects; the server's end waits for [#accept()].
  ///
  /// @return the client's end
  public Channel connect() {
    InMemoryChannel.Pipe toServer = new InMemoryChannel.Pipe();
    InMemoryChannel.Pipe toClient = new InMemoryChannel.Pipe();
    Channel server = new InMemoryChannel(toServer, toClient);
    lock.lock();
    try {
      if (stopped) {
        server.close();
      } else {
        waiting.add(server);
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
    return new InMemoryChannel(toClient, toServer);
  }

  @Override
  public @Nullable Channel accept() {
    lock.lock();
    try {
      while (waiting.isEmpty() && !stopped) {
        changed.awaitUninterruptibly();
      }
      return stopped ? null : waiting.remove();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void stop() {
    lock.lock();
    try {
      stopped = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean awaitStop(long nanos) {
    long end = System.nanoTime() + nanos;
    lock.lock();
    try {
      while (!stopped) {
        long left = end - System.nanoTime();
        if (left <= 0) {
          return false;
        }
        changed.await(left, TimeUnit.NANOSECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    } finally {
      lock.unlock();
    }
    return true;
  }

  @Override
  public void close() {
    stop();
    lock.lock();
    try {
      waiting.forEach(Channel::close);
      waiting.clear();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public String toString() {
    return "this process";
  }
}
