package dev.sluice.vfiouser.transport;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.sluice.host.Errno;
import dev.sluice.host.SystemCallException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// One end of a connection within this process.
final class InMemoryChannel implements Channel {
  /// One direction: what was sent and not yet received. Everything is guarded by [#lock].
  static final class Pipe {
    /// Bytes that a sender may be ahead, as a socket's buffer would allow.
    private static final long CAPACITY = 1 << 18;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<Chunk> chunks = new ArrayDeque<>();
    private long bytes;
    private boolean ended;
    private boolean woken;
    private @Nullable LocalEvent watched;

    private void end() {
      lock.lock();
      try {
        ended = true;
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  /// The bytes of one send, and what came with its first.
  private static final class Chunk {
    private final byte[] bytes;
    private final List<Attachment> attachments;
    private int taken;

    private Chunk(byte[] bytes, List<Attachment> attachments) {
      this.bytes = bytes;
      this.attachments = attachments;
    }
  }

  private final Pipe in;
  private final Pipe out;

  InMemoryChannel(Pipe in, Pipe out) {
    this.in = in;
    this.out = out;
  }

  @Override
  public long receive(MemorySegment into, long offset, long length, List<Attachment> attachments) {
    in.lock.lock();
    try {
      while (in.chunks.isEmpty() && !in.ended) {
        in.changed.awaitUninterruptibly();
      }
      return takeFirst(into, offset, length, attachments);
    } finally {
      in.lock.unlock();
    }
  }

  @Override
  public long receiveNow(
      MemorySegment into, long offset, long length, List<Attachment> attachments) {
    in.lock.lock();
    try {
      boolean nothing = in.chunks.isEmpty() && !in.ended;
      return nothing ? 0 : takeFirst(into, offset, length, attachments);
    } finally {
      in.lock.unlock();
    }
  }

  private long takeFirst(
      MemorySegment into, long offset, long length, List<Attachment> attachments) {
    Chunk first = in.chunks.peek();
    if (first == null) {
      return -1;
    }
    if (first.taken == 0) {
      attachments.addAll(first.attachments);
    }
    int took = (int) Math.min(length, first.bytes.length - first.taken);
    MemorySegment.copy(first.bytes, first.taken, into, JAVA_BYTE, offset, took);
    first.taken += took;
    in.bytes -= took;
    if (first.taken == first.bytes.length) {
      in.chunks.remove();
    }
    in.changed.signalAll();
    return took;
  }

  @Override
  public void send(MemorySegment from, long offset, long length, List<Attachment> attachments)
      throws IOException {
    if (length == 0) {
      return;
    }
    out.lock.lock();
    try {
      while (!put(from, offset, length, attachments)) {
        out.changed.awaitUninterruptibly();
      }
    } finally {
      out.lock.unlock();
    }
  }

  @Override
  public boolean sendNow(MemorySegment from, long offset, long length) throws IOException {
    out.lock.lock();
    try {
      return put(from, offset, length, List.of());
    } finally {
      out.lock.unlock();
    }
  }

  /// @return false when there is no room
  private boolean put(MemorySegment from, long offset, long length, List<Attachment> attachments)
      throws IOException {
    if (out.ended) {
      throw new SystemCallException("sendmsg", Errno.EPIPE, "send " + length + " bytes");
    }
    if (out.bytes >= Pipe.CAPACITY) {
      return false;
    }
    byte[] bytes = from.asSlice(offset, length).toArray(JAVA_BYTE);
    out.chunks.add(new Chunk(bytes, List.copyOf(attachments)));
    out.bytes += bytes.length;
    out.changed.signalAll();
    return true;
  }

  @Override
  public boolean isWritable() {
    out.lock.lock();
    try {
      return out.bytes < Pipe.CAPACITY || out.ended;
    } finally {
      out.lock.unlock();
    }
  }

  @Override
  public int await(boolean readable, long nanos) {
    long end = System.nanoTime() + nanos;
    in.lock.lock();
    try {
      while (true) {
        int happened = happened(readable);
        long left = nanos < 0 ? Long.MAX_VALUE : end - System.nanoTime();
        if (happened != 0 || left <= 0) {
          return happened;
        }
        in.changed.await(left, TimeUnit.NANOSECONDS);
      }
    } catch (InterruptedException e) {
      // An interrupted owner wants to end: let it see the end of the stream.
      Thread.currentThread().interrupt();
      shutdown();
      return READABLE;
    } finally {
      in.lock.unlock();
    }
  }

  private int happened(boolean readable) {
    int happened = 0;
    if (readable && (in.ended || !in.chunks.isEmpty())) {
      happened |= READABLE;
    }
    if (in.woken) {
      in.woken = false;
      happened |= WOKEN;
    }
    if (in.watched != null && in.watched.isSignalled()) {
      happened |= SIGNALLED;
    }
    return happened;
  }

  @Override
  public void watch(@Nullable Event event) {
    if (event != null && !(event instanceof LocalEvent)) {
      throw new IllegalArgumentException("not an event of this transport: " + event);
    }
    in.lock.lock();
    try {
      if (in.watched != null) {
        in.watched.onSignal(null);
      }
      in.watched = (LocalEvent) event;
      if (in.watched != null) {
        in.watched.onSignal(this::changed);
      }
    } finally {
      in.lock.unlock();
    }
  }

  private void changed() {
    in.lock.lock();
    try {
      in.changed.signalAll();
    } finally {
      in.lock.unlock();
    }
  }

  @Override
  public void wake() {
    in.lock.lock();
    try {
      in.woken = true;
      in.changed.signalAll();
    } finally {
      in.lock.unlock();
    }
  }

  @Override
  public void shutdown() {
    in.end();
    out.end();
  }

  @Override
  public String peer() {
    return "this process";
  }

  @Override
  public void close() {
    shutdown();
  }
}
