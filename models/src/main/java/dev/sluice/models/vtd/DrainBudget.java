package dev.sluice.models.vtd;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// How many invalidations may be under way at a time, those from before a reset among them: each is
/// remembered until what it waits for has let go, which may be never, and a guest may begin and
/// reset as often as it likes.
final class DrainBudget {
  /// What the queue may use: a guest may fill it while one mapping keeps all of it waiting.
  static final int MAX_OF_QUEUE = 1024;

  /// With what the registers may use in addition, so that a full queue leaves them room: each of
  /// the three that begin an invalidation has one under way between two resets.
  static final int MAX_OF_ALL = MAX_OF_QUEUE + 64;

  /// An invalidation that has no room yet.
  ///
  /// @param begin has its argument run once when the drain is complete
  private record Waiting(Consumer<Runnable> begin, Runnable completed) {}

  /// Three at the most, one a register, and one of the queue's that came too late: a reset forgets
  /// them. Guarded by this, like what follows.
  private final Queue<Waiting> waiting = new ArrayDeque<>();

  private int underWay;

  private final Runnable roomForQueue;

  /// @param roomForQueue runs when the queue may begin one again, without a lock, on the thread
  ///   that ended an access
  DrainBudget(Runnable roomForQueue) {
    this.roomForQueue = roomForQueue;
  }

  /// Whether the queue may begin another one.
  synchronized boolean hasRoomForQueue() {
    return underWay < MAX_OF_QUEUE;
  }

  /// Begins an invalidation, now or when there is room for it.
  ///
  /// @param begin has its argument run once when the drain is complete
  /// @param completed runs after that, when the invalidation counts no more
  void begin(Consumer<Runnable> begin, Runnable completed) {
    Waiting one = new Waiting(begin, completed);
    synchronized (this) {
      if (underWay >= MAX_OF_ALL) {
        waiting.add(one);
        return;
      }
      underWay++;
    }
    start(one);
  }

  private void start(Waiting one) {
    one.begin().accept(() -> ended(one));
  }

  private void ended(Waiting one) {
    @Nullable Waiting next;
    boolean room = false;
    synchronized (this) {
      next = waiting.poll();
      if (next == null) {
        room = --underWay == MAX_OF_QUEUE - 1;
      }
    }
    if (next != null) {
      start(next);
    }
    one.completed().run();
    if (room) {
      roomForQueue.run();
    }
  }

  /// Forgets what has no room yet, for a reset.
  synchronized void reset() {
    waiting.clear();
  }

  /// How many are under way or have no room yet.
  synchronized int size() {
    return underWay + waiting.size();
  }
}
