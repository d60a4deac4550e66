package dev.sluice.iommu;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// Counts the invalidations of one IOMMU, so that an access can tell whether one came in between.
///
/// An invalidation counts twice: before it changes anything ([#begin]), which makes the count odd,
/// and after it has changed everything ([#end]), which makes it even again. So their changes come
/// one after the other, and what one of them leaves behind is younger than what the one before
/// left. Each time is a full fence:
/// - a walk that began after reading `n` read tables that the invalidations up to `n` had
///   announced;
/// - an access that read the count of an invalidation's end finds the caches as it left them;
/// - an access that finds the count as it was at its start was not overtaken by a completion.
///
/// A cache line of its own: every access reads it, only invalidations write it.
final class InvalidationCount {
  private static final VarHandle COUNT;

  static {
    try {
      COUNT = MethodHandles.lookup().findVarHandle(InvalidationCount.class, "count", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  @SuppressWarnings("unused") // keeps the neighbour off the line
  private long before1, before2, before3, before4, before5, before6, before7;

  private volatile long count;

  @SuppressWarnings("unused") // keeps the neighbour off the line
  private long after1, after2, after3, after4, after5, after6, after7;

  InvalidationCount() {}

  /// With acquire order: what follows is read after it.
  long get() {
    return (long) COUNT.getAcquire(this);
  }

  /// In the total order of all volatile accesses.
  long getVolatile() {
    return count;
  }

  /// Counts the beginning of an invalidation's changes, after another's that are under way: those
  /// take less than a microsecond, some more when many caches are emptied, and wait for nothing.
  ///
  /// @return the count, odd
  @SuppressWarnings("ThreadPriorityCheck") // Correct without it: it only shortens the wait.
  long begin() {
    for (; ; ) {
      long now = count;
      if ((now & 1) == 0 && COUNT.compareAndSet(this, now, now + 1)) {
        return now + 1;
      }
      // The other one may have lost its processor to this thread.
      Thread.yield();
    }
  }

  /// Counts the end of the changes.
  ///
  /// @return the count, even
  long end() {
    long now = (long) COUNT.get(this) + 1;
    COUNT.setRelease(this, now);
    VarHandle.fullFence();
    return now;
  }

  /// Whether the count is still `seen`, after everything that was read before this call.
  boolean isStill(long seen) {
    VarHandle.loadLoadFence();
    return (long) COUNT.getOpaque(this) == seen;
  }
}
