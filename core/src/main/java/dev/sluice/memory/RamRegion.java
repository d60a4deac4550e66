package dev.sluice.memory;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// A run of host memory that stands for guest RAM (or ROM) in a [GuestMemory].
///
/// The memory belongs to a shared arena, and that is what makes taking it away safe: closing the
/// arena waits for no device, yet an access in flight on another thread ends with an exception
/// instead of touching the unmapped pages. Uses that the arena cannot interrupt (a device's
/// mapping, the kernel reading a file into the pages) *hold* the region; it is unmapped when the
/// last hold is released.
public final class RamRegion {
  private static final Logger LOG = System.getLogger(RamRegion.class.getName());

  /// Set in [#holds] once the region is being removed: no new hold is given.
  private static final int REMOVING = 1 << 31;

  private final MemorySegment segment;
  private final boolean writable;
  private final boolean lasting;
  private final Runnable unmap;
  private final AtomicBoolean placed = new AtomicBoolean();
  private final AtomicInteger holds = new AtomicInteger();

  /// Its number in [Ram], or -1. Written before the region is put into the map.
  private int number = -1;

  /// What to run after the removal. Written before `REMOVING` is set, read after it was seen.
  private @Nullable Runnable unmapped;

  private RamRegion(MemorySegment segment, boolean writable, boolean lasting, Runnable unmap) {
    this.segment = segment;
    this.writable = writable;
    this.lasting = lasting;
    this.unmap = unmap;
  }

  /// Anonymous zeroed memory of `size` bytes (1 or more), page-aligned, for guests that live in
  /// this process.
  @SuppressWarnings("MustBeClosed") // The region closes the arena when it is unmapped.
  public static RamRegion allocate(long size) {
    if (size <= 0) {
      throw new IllegalArgumentException("RAM size must be 1 byte or more: " + size);
    }
    Arena arena = Arena.ofShared();
    return new RamRegion(arena.allocate(size, GuestMemory.PAGE), true, true, arena::close);
  }

  /// Memory that somebody else mapped, and that is there until it is unmapped.
  ///
  /// @param segment the bytes, in a shared arena that `unmap` closes
  /// @param writable whether a device may write; the guest's own rights do not matter here
  /// @param unmap closes the arena; runs once, when nothing holds the region any more
  /// @throws IllegalArgumentException when the segment is empty, not native, confined to a thread,
  ///   or read-only though devices are to write
  public static RamRegion of(MemorySegment segment, boolean writable, Runnable unmap) {
    return of(segment, writable, true, unmap);
  }

  /// As the other, of memory that another process may take away at any time, by shortening the file
  /// behind it, unless it is `lasting`.
  ///
  /// An access that meets its end is a failed one, or an [InternalError], but not an atomic one:
  /// JDK 25 leaves its interpreted compare-and-exchange without the guard that loads and stores
  /// have, and the fault would end the process. So there are atomic operations in lasting memory
  /// only.
  ///
  /// @param lasting whether the bytes are there until `unmap`, whatever anybody does
  public static RamRegion of(
      MemorySegment segment, boolean writable, boolean lasting, Runnable unmap) {
    if (segment.byteSize() <= 0
        || !segment.isNative()
        || !segment.isAccessibleBy(ANOTHER_THREAD)
        || (segment.isReadOnly() && writable)) {
      throw new IllegalArgumentException(
          "not usable as RAM: " + segment + ", writable " + writable);
    }
    return new RamRegion(segment, writable, lasting, unmap);
  }

  /// Never started: who asks whether a segment is shared has to name a thread that does not own it.
  private static final Thread ANOTHER_THREAD = Thread.ofVirtual().unstarted(() -> {});

  /// Size in bytes.
  public long size() {
    return segment.byteSize();
  }

  /// Whether a device may write to it.
  public boolean writable() {
    return writable;
  }

  /// Whether it has atomic operations.
  public boolean hasAtomics() {
    return lasting;
  }

  /// Its number among the regions of its memory, as [Ram#number] finds it in an address; -1 when it
  /// has none.
  public int number() {
    return number;
  }

  void number(int given) {
    number = given;
  }

  MemorySegment segment() {
    return segment;
  }

  /// Whether an exception from an access is explained by this region's removal.
  boolean isGone() {
    return !segment.scope().isAlive();
  }

  /// To be called when an access has met the end of its region.
  ///
  /// Where a thread is in an access to an arena that is being closed, the virtual machine
  /// interrupts it to throw the exception, and leaves its interrupt status set: the thread's next
  /// use of a [java.nio.channels.FileChannel] would close that for good. An interrupt by somebody
  /// else that comes at this very moment is lost.
  static void clearInterrupt(Throwable met) {
    if (met instanceof IllegalStateException) {
      Thread.interrupted();
    }
  }

  /// Claims the region's one place in an address space, for good.
  ///
  /// @return false when it has had one before
  boolean place() {
    return placed.compareAndSet(false, true);
  }

  /// Keeps the region mapped until the matching [#release()].
  ///
  /// @return false when the region is already being removed
  boolean hold() {
    for (; ; ) {
      int seen = holds.get();
      if ((seen & REMOVING) != 0) {
        return false;
      }
      if (holds.compareAndSet(seen, seen + 1)) {
        return true;
      }
    }
  }

  /// As [#hold()], for who is entitled to the region while others still have to let go of it: a
  /// mapping that is live goes on to be used until its deadline.
  ///
  /// @return false when nothing holds it any more
  boolean holdWhileHeld() {
    for (; ; ) {
      int seen = holds.get();
      if (seen == REMOVING) {
        return false;
      }
      if (holds.compareAndSet(seen, seen + 1)) {
        return true;
      }
    }
  }

  /// Gives a hold back; the last one out of a region that is being removed unmaps it.
  void release() {
    if (holds.decrementAndGet() == REMOVING) {
      finish();
    }
  }

  /// Starts the removal, once. `whenUnmapped` runs on this thread when nothing holds the region,
  /// else on the thread that releases the last hold.
  void remove(Runnable whenUnmapped) {
    unmapped = whenUnmapped;
    if (holds.getAndUpdate(h -> h | REMOVING) == 0) {
      finish();
    }
  }

  private void finish() {
    try {
      unmap.run();
    } catch (RuntimeException e) {
      if (!isGone()) {
        // The bytes can still be touched, so nobody may be told that they cannot.
        throw new IllegalStateException("cannot unmap a region of " + size() + " bytes", e);
      }
      LOG.log(Level.ERROR, "a region is dead, but its pages may stay mapped", e);
    }
    Runnable told = unmapped;
    if (told != null) {
      told.run();
    }
  }
}
