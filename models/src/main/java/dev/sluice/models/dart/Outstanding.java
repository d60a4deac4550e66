package dev.sluice.models.dart;

import dev.sluice.models.registers.ModelLock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.BinaryOperator;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The invalidations that a guest has asked for through a register and that are not complete.
///
/// Each begins at once, whatever else is under way, so that no cache keeps for long what the guest
/// wants forgotten. Beyond [#MAX_UNDER_WAY] they are merged into one, which begins when there is
/// room: a guest may write its register as often as it likes while a device holds a mapping.
///
/// @param <R> what is asked for
public final class Outstanding<R> {
  /// How many are under way at a time. A driver waits for each, or gives up on it after a while and
  /// asks for the next: this is more than there are streams to give up on.
  public static final int MAX_UNDER_WAY = 32;

  private final ModelLock lock;
  private final BiConsumer<R, Runnable> begin;
  private final BinaryOperator<R> merge;
  private final Runnable ended;
  private final List<Started> underWay = new ArrayList<>();
  private @Nullable R waiting;

  /// How many are under way from before a reset.
  private int forgotten;

  /// One that has begun, told from others that ask for the same.
  private final class Started {
    final R request;

    Started(R request) {
      this.request = request;
    }
  }

  /// @param begin begins one, without the lock, and has its second argument run once when it is
  ///   complete
  /// @param merge one that does what both do
  /// @param ended one is complete and not among [#forEach] any more; with the lock held
  public Outstanding(
      ModelLock lock, BiConsumer<R, Runnable> begin, BinaryOperator<R> merge, Runnable ended) {
    this.lock = lock;
    this.begin = begin;
    this.merge = merge;
    this.ended = ended;
  }

  /// Has one carried out. With the lock held: it begins when this thread has let go of it.
  public void add(R request) {
    lock.mustBeHeld();
    if (underWay.size() + forgotten < MAX_UNDER_WAY) {
      Started started = start(request);
      lock.defer(() -> work(started));
    } else {
      R before = waiting;
      waiting = before == null ? request : merge.apply(before, request);
    }
  }

  private Started start(R request) {
    Started started = new Started(request);
    underWay.add(started);
    return started;
  }

  /// What is not complete. With the lock held.
  public void forEach(Consumer<R> action) {
    lock.mustBeHeld();
    underWay.forEach(one -> action.accept(one.request));
    R last = waiting;
    if (last != null) {
      action.accept(last);
    }
  }

  /// Whether everything that was asked for is complete. With the lock held.
  public boolean isQuiet() {
    lock.mustBeHeld();
    return underWay.isEmpty() && waiting == null;
  }

  /// Forgets everything, for a reset of the model: what began before it has nothing to report. It
  /// still counts as under way, so that who resets again and again piles nothing up behind a
  /// mapping. With the lock held.
  public void reset() {
    lock.mustBeHeld();
    forgotten += underWay.size();
    underWay.clear();
    waiting = null;
  }

  /// A loop and no recursion: another processor may go on asking while this one completes.
  private void work(Started first) {
    for (Started one = first; one != null; ) {
      Started current = one;
      // Set by whoever comes first, and found by the other: the completion, or the return of begin.
      AtomicBoolean met = new AtomicBoolean();
      begin.accept(
          current.request,
          () -> {
            if (met.getAndSet(true)) {
              Started next = end(current);
              if (next != null) {
                work(next);
              }
            }
          });
      if (!met.getAndSet(true)) {
        return;
      }
      one = end(current);
    }
  }

  /// @return what begins in its place, or null
  private @Nullable Started end(Started one) {
    List<Started> next = new ArrayList<>(1);
    lock.run(() -> {
      boolean known = underWay.remove(one);
      if (!known) {
        forgotten--;
      }
      R merged = waiting;
      if (merged != null) {
        waiting = null;
        next.add(start(merged));
      }
      if (known) {
        ended.run();
      }
    });
    return next.isEmpty() ? null : next.getFirst();
  }
}
