package dev.sluice.dma;

import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.HostBuffer;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// How much memory the bounce mappings of a context may have, and who waits for it.
///
/// Room is given in powers of two of pages, so that a buffer which was given back fits the next of
/// its size; buffers are kept for that, and count: the memory of a context, in use and idle, is
/// never more than its budget. Whoever waits is served in the order of arrival, and nobody who did
/// not wait comes between: so a large request is not starved by small ones.
final class BounceBudget {
  private static final Logger LOG = System.getLogger(BounceBudget.class.getName());

  /// Requests that may wait at a time. The guest decides how many requests a device has; more than
  /// these the device refuses, rather than queue them without end.
  static final int MAX_WAITERS = 256;

  private record Waiter(long size, Consumer<? super BounceRoom> then) {}

  // All guarded by this. Nothing foreign runs under it, and no memory is allocated or freed.
  private final List<ArrayDeque<HostBuffer>> idle = new ArrayList<>();
  private final ArrayDeque<Waiter> waiters = new ArrayDeque<>();
  private long budget;
  private long given;
  private long idleBytes;
  private boolean serving;
  private boolean closed;

  BounceBudget(long budget) {
    this.budget = budget;
    for (long size = GuestMemory.PAGE; size <= DmaContext.MAX_MAPPING; size <<= 1) {
      idle.add(new ArrayDeque<>());
    }
  }

  /// How much room `bytes` take, at most [DmaContext#MAX_MAPPING] bytes.
  private static long sizeFor(long bytes) {
    return Math.max(GuestMemory.PAGE, Long.highestOneBit(2 * bytes - 1));
  }

  private ArrayDeque<HostBuffer> idleOf(long size) {
    return idle.get(Long.numberOfTrailingZeros(size / GuestMemory.PAGE));
  }

  /// @throws IllegalStateException when room is given or waited for
  void set(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("a budget must not be negative: " + bytes);
    }
    List<HostBuffer> unused;
    synchronized (this) {
      if (given > 0 || !waiters.isEmpty()) {
        throw new IllegalStateException("bounce mappings are open, or waited for");
      }
      budget = bytes;
      unused = evict(budget);
    }
    unused.forEach(HostBuffer::close);
  }

  /// Bytes that are given now.
  synchronized long given() {
    return given;
  }

  /// The most bytes that can be asked for.
  synchronized long most() {
    return Math.min(DmaContext.MAX_MAPPING, Long.highestOneBit(budget) & -GuestMemory.PAGE);
  }

  /// Room for `bytes`, if there is some now that nobody waits for.
  @Nullable BounceRoom reserve(long bytes) {
    BounceRoom room;
    List<HostBuffer> unused;
    synchronized (this) {
      if (closed || bytes > most() || !waiters.isEmpty() || !fits(sizeFor(bytes))) {
        return null;
      }
      room = give(sizeFor(bytes));
      unused = evict(budget);
    }
    unused.forEach(HostBuffer::close);
    return room;
  }

  /// Queues `then`, and serves who can be served.
  ///
  /// @return false when the context is closed, or too many wait
  boolean whenRoom(long bytes, Consumer<? super BounceRoom> then) {
    synchronized (this) {
      if (bytes <= 0 || bytes > most()) {
        throw new IllegalArgumentException("room for 1 to " + most() + " bytes, not " + bytes);
      }
      if (closed || waiters.size() >= MAX_WAITERS) {
        return false;
      }
      waiters.add(new Waiter(sizeFor(bytes), then));
    }
    serve();
    return true;
  }

  void giveBack(long size, @Nullable HostBuffer buffer) {
    boolean keep;
    synchronized (this) {
      given -= size;
      keep = !closed;
      if (keep && buffer != null) {
        idleOf(size).add(buffer);
        idleBytes += size;
      }
    }
    if (!keep && buffer != null) {
      buffer.close();
    }
    serve();
  }

  /// Gives no more room: forgets who waits, and frees what is idle.
  void close() {
    List<HostBuffer> unused;
    synchronized (this) {
      closed = true;
      waiters.clear();
      unused = evict(0);
    }
    unused.forEach(HostBuffer::close);
  }

  /// Serves the first in the line for as long as there is room for it. One thread at a time: so the
  /// order is kept, and a waiter that gives its room back at once, or waits again, finds itself in
  /// a loop and not in a recursion.
  private void serve() {
    Error failure = null;
    for (; ; ) {
      Waiter first;
      BounceRoom room;
      List<HostBuffer> unused;
      synchronized (this) {
        first = waiters.peek();
        if (serving || first == null || !fits(first.size())) {
          break;
        }
        waiters.remove();
        room = give(first.size());
        unused = evict(budget);
        serving = true;
      }
      unused.forEach(HostBuffer::close);
      try {
        first.then().accept(room);
      } catch (RuntimeException e) {
        // It may be another device's thread, which has no part in it.
        LOG.log(Level.ERROR, "a device failed when there was room for its bounce mapping", e);
        room.close();
      } catch (Error e) {
        room.close();
        failure = failure == null ? e : failure;
      } finally {
        synchronized (this) {
          serving = false;
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  // --- guarded by this

  private boolean fits(long size) {
    return size <= budget - given;
  }

  private BounceRoom give(long size) {
    given += size;
    HostBuffer known = idleOf(size).poll();
    if (known != null) {
      idleBytes -= size;
    }
    return new BounceRoom(this, size, known);
  }

  /// Takes idle buffers out, large ones first, until all together have `limit` bytes. To be closed
  /// without the lock.
  private List<HostBuffer> evict(long limit) {
    List<HostBuffer> evicted = new ArrayList<>();
    for (ArrayDeque<HostBuffer> ofSize : idle.reversed()) {
      while (idleBytes + given > limit && !ofSize.isEmpty()) {
        HostBuffer one = ofSize.remove();
        idleBytes -= one.size();
        evicted.add(one);
      }
    }
    return evicted;
  }
}
