package dev.sluice.host;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Waits until one of a few descriptors can be read (or accepted from), has ended, or a time has
/// passed. For one thread.
///
/// One entry of the kernel's `struct pollfd`, 8 bytes:
///
/// ```
///  0      4        6         8
///  | fd   | events | revents |      fd -1: the entry is ignored
/// ```
public final class PollSet {
  static final long ENTRY = 8;
  static final long EVENTS = 4;
  private static final long REVENTS = 6;

  /// The longest that one call of poll sleeps; a longer wait is made of several. Keeps the
  /// milliseconds within an int.
  private static final long LONGEST_MILLIS = TimeUnit.HOURS.toMillis(1);

  private final MemorySegment entries;
  private final int size;

  /// A set of `size` places, all empty.
  ///
  /// @param size 1 to 31
  public PollSet(int size) {
    if (size < 1 || size > 31) {
      throw new IllegalArgumentException("a poll set has 1 to 31 places: " + size);
    }
    this.size = size;
    this.entries = Arena.ofAuto().allocate(size * ENTRY, ENTRY);
    for (int i = 0; i < size; i++) {
      set(i, null);
    }
  }

  /// Waits for `what` at place `index` from now on, or for nothing there.
  public void set(int index, @Nullable Pollable what) {
    entries.set(JAVA_INT, index * ENTRY, what == null ? -1 : what.fd().number());
    entries.set(JAVA_SHORT, index * ENTRY + EVENTS, Libc.POLLIN);
  }

  /// Waits.
  ///
  /// @param nanos the longest wait; 0 returns at once, negative waits without end
  /// @return bit i is set when the descriptor at place i can be read or has ended; 0 when the time
  ///   has passed
  public int await(long nanos) throws SystemCallException {
    long end = System.nanoTime() + nanos;
    while (true) {
      long left = nanos < 0 ? Long.MAX_VALUE : Math.max(0, end - System.nanoTime());
      // Rounded up: a wait of less than a millisecond must not become a busy loop.
      long millis =
          Math.min(LONGEST_MILLIS, TimeUnit.NANOSECONDS.toMillis(left) + (left > 0 ? 1 : 0));
      int ready = Libc.poll(entries, size, (int) millis);
      if (ready > 0) {
        return readyMask();
      }
      if (ready < 0 && -ready != Errno.EINTR.number()) {
        throw new SystemCallException(
            "poll", Errno.of(-ready), "wait for " + size + " descriptors");
      }
      if (nanos >= 0 && System.nanoTime() - end >= 0) {
        return 0;
      }
    }
  }

  private int readyMask() {
    int mask = 0;
    for (int i = 0; i < size; i++) {
      if (entries.get(JAVA_SHORT, i * ENTRY + REVENTS) != 0) {
        mask |= 1 << i;
      }
    }
    return mask;
  }
}
