package dev.sluice.memory;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The RAM of a [GuestMemory] by number instead of by guest-physical address, for who has found the
/// way once and wants to go it again without a search: a cached translation, a mapping.
///
/// A *RAM address* names a byte by its region's number and its place in the region:
///
/// ```text
/// 63      48 47       40 39                         0
/// +---------+-----------+----------------------------+
/// |    0    |  number   |    offset in the region    |
/// +---------+-----------+----------------------------+
/// ```
///
/// It is good until its region is removed. Then accesses by it fail, and nothing touches the
/// unmapped bytes; but the number is given to another region when everybody whom the removal told
/// ([RemovalListener]) has let go. So whoever keeps a RAM address keeps a listener, too.
public final class Ram {
  /// What stands for "no RAM with a number there".
  public static final long NOWHERE = -1;

  /// Bytes of a region that have a RAM address, from its start: 1 TiB.
  static final long REACH = 1L << 40;

  private static final int NUMBERS = 256;

  /// Native as all others, so that an access meets one class only.
  private static final MemorySegment NO_RAM = MemorySegment.NULL;

  private static final int NUMBER_SHIFT = 40;
  private static final long OFFSET = REACH - 1;

  /// The bytes by number, until the region is unmapped; those of [#NO_RAM] where there is none. A
  /// reader's way here is an address that it got from who read the map, so plain reads are enough.
  private final MemorySegment[] segments = new MemorySegment[NUMBERS];

  /// The same for atomic operations: [#NO_RAM] where the region has none, too.
  private final MemorySegment[] atomics = new MemorySegment[NUMBERS];

  /// By number; guarded by this.
  private final @Nullable RamRegion[] regions = new RamRegion[NUMBERS];

  Ram() {
    Arrays.fill(segments, NO_RAM);
    Arrays.fill(atomics, NO_RAM);
  }

  /// Gives a region the lowest free number.
  ///
  /// @return the number, or -1 when there is none: the region is reached by address only
  synchronized int add(RamRegion region) {
    for (int number = 0; number < NUMBERS; number++) {
      if (regions[number] == null) {
        regions[number] = region;
        segments[number] = region.segment();
        atomics[number] = region.hasAtomics() ? region.segment() : NO_RAM;
        return number;
      }
    }
    return -1;
  }

  /// Takes the number of a region back that is unmapped and that nobody knows any more.
  synchronized void remove(int number) {
    regions[number] = null;
    segments[number] = NO_RAM;
    atomics[number] = NO_RAM;
  }

  static long address(int number, long offset) {
    return (long) number << NUMBER_SHIFT | offset;
  }

  /// The number of the region that a RAM address names.
  public static int number(long ramAddress) {
    return (int) (ramAddress >>> NUMBER_SHIFT);
  }

  static long offset(long ramAddress) {
    return ramAddress & OFFSET;
  }

  private MemorySegment segment(long ramAddress) {
    return segments[number(ramAddress)];
  }

  /// Copies bytes of one region into `into` from `offset` on.
  ///
  /// @return false when the region is going or its file was cut short; some bytes may have moved
  public boolean read(long ramAddress, MemorySegment into, long offset, long length) {
    MemorySegment segment = segment(ramAddress);
    try {
      MemorySegment.copy(segment, ramAddress & OFFSET, into, offset, length);
      return true;
    } catch (IllegalStateException | IndexOutOfBoundsException | InternalError e) {
      return failed(segment, e);
    }
  }

  /// Copies `length` bytes of `from`, from `offset` on, into one region, which must be writable.
  ///
  /// @return as [#read]
  public boolean write(long ramAddress, MemorySegment from, long offset, long length) {
    MemorySegment segment = segment(ramAddress);
    try {
      MemorySegment.copy(from, offset, segment, ramAddress & OFFSET, length);
      return true;
    } catch (IllegalStateException | IndexOutOfBoundsException | InternalError e) {
      return failed(segment, e);
    }
  }

  /// Sets bytes of one region, which must be writable.
  ///
  /// @return as [#read]
  public boolean fill(long ramAddress, long length, byte value) {
    MemorySegment pattern = FillPattern.of(value);
    for (long done = 0; done < length; done += pattern.byteSize()) {
      if (!write(ramAddress + done, pattern, 0, Math.min(length - done, pattern.byteSize()))) {
        return false;
      }
    }
    return true;
  }

  /// Loads 1, 2, 4 or 8 bytes of one region, with acquire order when aligned in host memory.
  ///
  /// @return as [#read]
  public boolean load(long ramAddress, int bytes, ByteOrder order, Word into) {
    MemorySegment segment = segment(ramAddress);
    try {
      into.set(Scalars.load(segment, ramAddress & OFFSET, bytes, order));
      return true;
    } catch (IllegalStateException | IndexOutOfBoundsException | InternalError e) {
      return failed(segment, e);
    }
  }

  /// Has the processor fetch the beginning of a page that is copied next, while the one before is
  /// being copied: two lines, by which it knows that more is wanted. A copy of 1 MiB in pages here
  /// and there takes 3 to 4 % less by that. Whether the bytes can be had the copy itself will tell.
  ///
  /// @param ramAddress of a page
  public void touch(long ramAddress) {
    MemorySegment segment = segment(ramAddress);
    try {
      Scalars.touch(segment, ramAddress & OFFSET);
      Scalars.touch(segment, (ramAddress & OFFSET) + LINE);
    } catch (IllegalStateException | IndexOutOfBoundsException | InternalError e) {
      failed(segment, e);
    }
  }

  private static final int LINE = 64;

  /// As the other load, for who knows by other means that the region is there.
  ///
  /// @return zero-extended
  /// @throws IllegalStateException when the region is being unmapped
  /// @throws IndexOutOfBoundsException when it is gone
  /// @throws InternalError when its file was cut short
  public long load(long ramAddress, int bytes, ByteOrder order) {
    return Scalars.load(segment(ramAddress), ramAddress & OFFSET, bytes, order);
  }

  /// Stores the low 1, 2, 4 or 8 bytes of `value` in one region, which must be writable, with
  /// release order when aligned in host memory.
  ///
  /// @return as [#read]
  public boolean store(long ramAddress, int bytes, ByteOrder order, long value) {
    MemorySegment segment = segment(ramAddress);
    try {
      Scalars.store(segment, ramAddress & OFFSET, bytes, order, value);
      return true;
    } catch (IllegalStateException | IndexOutOfBoundsException | InternalError e) {
      return failed(segment, e);
    }
  }

  /// Replaces 4 or 8 bytes by `desired` if they are `expected`, as one atomic step.
  ///
  /// @param witness receives what was there
  /// @return as [#read]; false, too, when they are not aligned in host memory, or the region has no
  ///   atomic operations
  public boolean compareAndExchange(
      long ramAddress, int bytes, ByteOrder order, long expected, long desired, Word witness) {
    MemorySegment segment = atomics[number(ramAddress)];
    if (!isAtomic(segment, ramAddress, bytes)) {
      return false;
    }
    try {
      witness.set(
          Scalars.compareAndExchange(
              segment, ramAddress & OFFSET, bytes, order, expected, desired));
      return true;
    } catch (IllegalStateException | IndexOutOfBoundsException | InternalError e) {
      return failed(segment, e);
    }
  }

  /// Adds `addend` to 4 or 8 bytes, as one atomic step; the sum wraps.
  ///
  /// @param witness receives what was there before
  /// @return as [#compareAndExchange]
  public boolean fetchAndAdd(
      long ramAddress, int bytes, ByteOrder order, long addend, Word witness) {
    MemorySegment segment = atomics[number(ramAddress)];
    if (!isAtomic(segment, ramAddress, bytes)) {
      return false;
    }
    try {
      witness.set(Scalars.fetchAndAdd(segment, ramAddress & OFFSET, bytes, order, addend));
      return true;
    } catch (IllegalStateException | IndexOutOfBoundsException | InternalError e) {
      return failed(segment, e);
    }
  }

  private static boolean isAtomic(MemorySegment segment, long ramAddress, int bytes) {
    return segment.byteSize() > 0
        && (bytes == 4 || bytes == 8)
        && (ramAddress & (bytes - 1)) == 0
        && Scalars.isAligned(segment, ramAddress & OFFSET, bytes);
  }

  /// The contiguous bytes of a RAM address, kept mapped, also when the region's removal has begun
  /// and somebody still has to let go.
  ///
  /// @return null when the region is gone
  public @Nullable RegionHold hold(long ramAddress, long length) {
    RamRegion region;
    synchronized (this) {
      region = regions[number(ramAddress)];
    }
    return region != null && region.holdWhileHeld()
        ? new RegionHold(region, region.segment().asSlice(ramAddress & OFFSET, length))
        : null;
  }

  /// An exception that a removed or truncated region explains is a failed access, and so is an
  /// offset beyond the end: the number may be another region's by now. Any other is a defect and
  /// goes on.
  ///
  /// @param met what the access met: the number may lead elsewhere by now
  private static boolean failed(MemorySegment met, Throwable e) {
    if (e instanceof IllegalStateException misuse && met.scope().isAlive()) {
      throw misuse;
    }
    RamRegion.clearInterrupt(e);
    return false;
  }
}
