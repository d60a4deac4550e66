package dev.sluice.iommu;

import dev.sluice.memory.RamRegion;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A device's long-lived use of translated memory: what an invalidation has to wait for beyond the
/// access sections that are open.
///
/// Each use of the held memory is itself an access section that first asks [#isLive()]; input or
/// output by the kernel, which may take long and cannot be called back, is counted apart
/// ([#beginIo()]). When the hold is closed or revoked, it ends as soon as the sections that were
/// open and the counted input and output are through: then its owner's `ended` runs, and then every
/// invalidation that waited is told.
public final class Hold {
  /// What has become of a hold.
  public enum State {
    /// The memory may be used.
    LIVE,
    /// Its owner closed it.
    CLOSED,
    /// It was taken away, as it kept an invalidation or a removal of memory waiting beyond its
    /// deadline.
    REVOKED
  }

  private final Endpoint endpoint;
  private final long tag;
  private final long first;
  private final long last;
  private final long count;
  private final RamRegion memory;
  private final Runnable ended;

  /// Written under this, read without. Pairs with [AccessSection]: written before the sections are
  /// looked at, read after the section has begun; so the end waits for the section, or the section
  /// sees that the hold is dead.
  private volatile State state = State.LIVE;

  /// Kernel input and output under way; guarded by this.
  private int io;

  /// Whether the sections that were open at the change of state are through; guarded by this.
  private boolean quiescent;

  /// Whether nothing of the hold can touch memory any more; guarded by this.
  private boolean over;

  /// Who waits for the end; guarded by this.
  private final List<Drain> waiters = new ArrayList<>(1);

  /// Takes the pending deadline back, if there is one; guarded by this.
  private @Nullable Runnable cancelDeadline;

  /// When it passes, by the endpoint's clock; guarded by this.
  private long deadline;

  /// Place in the registry's list; guarded by the registry.
  int index = -1;

  Hold(
      Endpoint endpoint,
      long tag,
      long first,
      long last,
      long count,
      RamRegion memory,
      Runnable ended) {
    this.endpoint = endpoint;
    this.tag = tag;
    this.first = first;
    this.last = last;
    this.count = count;
    this.memory = memory;
    this.ended = ended;
  }

  /// The count at the start of the section that made it.
  public long count() {
    return count;
  }

  RamRegion memory() {
    return memory;
  }

  /// What has become of it. To be asked within an access section, before each use.
  public State state() {
    return state;
  }

  /// Whether the memory may be used. To be asked within an access section, before each use.
  public boolean isLive() {
    return state == State.LIVE;
  }

  /// Announces input or output by the kernel from or to the memory, which goes on beyond the
  /// section.
  ///
  /// @return false when the hold is not live any more
  public synchronized boolean beginIo() {
    if (!isLive()) {
      return false;
    }
    io++;
    return true;
  }

  /// The kernel is done. Once for each [#beginIo()] that was granted.
  public void endIo() {
    boolean now;
    synchronized (this) {
      if (io == 0) {
        throw new IllegalStateException("no input or output is under way");
      }
      io--;
      now = io == 0 && quiescent;
    }
    if (now) {
      end();
    }
  }

  /// Ends the hold by its owner's will; a second call does nothing.
  public void close() {
    finish(State.CLOSED, false);
  }

  /// Takes the memory away from the owner.
  ///
  /// @return whether it was live
  public boolean revoke() {
    return finish(State.REVOKED, false);
  }

  /// @param late whether it counts as a deadline that has passed, before anybody is told of the end
  /// @return whether it was live
  private boolean finish(State why, boolean late) {
    synchronized (this) {
      if (!isLive()) {
        return false;
      }
      state = why;
      if (cancelDeadline != null) {
        cancelDeadline.run();
        cancelDeadline = null;
      }
    }
    if (late) {
      endpoint.countRevocation();
    }
    // A section that is open now may be a use that found the hold live.
    Drain.start(
        drain -> endpoint.awaitSections(0, 0, first, last, drain),
        () -> {
          boolean now;
          synchronized (this) {
            quiescent = true;
            now = io == 0;
          }
          if (now) {
            end();
          }
        });
    return true;
  }

  private void end() {
    List<Runnable> told = new ArrayList<>();
    told.add(ended);
    synchronized (this) {
      over = true;
      waiters.forEach(waiter -> told.add(waiter::countDown));
      waiters.clear();
    }
    endpoint.holds().remove(this);
    Continuations.run(told);
  }

  /// Whether this is what is meant.
  boolean isMeant(PageLeases.Query what) {
    return count < what.count()
        && ((tag ^ what.tagValue()) & what.tagMask()) == 0
        && Long.compareUnsigned(first, what.last()) <= 0
        && Long.compareUnsigned(what.first(), last) <= 0;
  }

  /// Makes `drain` wait for the end, unless it is over. Starts no deadline.
  void delay(Drain drain) {
    synchronized (this) {
      if (!over) {
        drain.countUp();
        waiters.add(drain);
      }
    }
  }

  /// The memory is wanted back: revokes the hold when its endpoint's patience is over, unless it
  /// has ended by then. However often it is wanted, one deadline is pending, the earliest.
  void expire() {
    Duration patience = endpoint.revocation().patience();
    if (patience == null) {
      return;
    }
    if (patience.isZero()) {
      revokeLate();
      return;
    }
    synchronized (this) {
      long proposed = endpoint.clock().nanoTime() + patience.toNanos();
      if (!isLive() || (cancelDeadline != null && deadline - proposed <= 0)) {
        return;
      }
      if (cancelDeadline != null) {
        cancelDeadline.run();
      }
      deadline = proposed;
      cancelDeadline = endpoint.clock().schedule(patience, this::revokeLate);
    }
  }

  private void revokeLate() {
    finish(State.REVOKED, true);
  }
}
