package dev.sluice.memory;

import dev.sluice.memory.MemoryMap.Placed;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// A guest-physical address space: RAM, ROM and message-only regions that come and go while devices
/// run.
///
/// Addresses are unsigned 64-bit numbers in a `long`; the space ends at 2^64 and does not wrap.
/// Nothing here translates or checks a device's permission: that is what a DMA context is for.
/// Accesses take no lock and may come from any thread; a region that is removed under them ends
/// them with [MemoryStatus#FAILED].
public final class GuestMemory {
  /// Bytes of the smallest guest page, 4 KiB.
  public static final long PAGE = 4096;

  /// The most regions at a time. A vfio-user client announces 65,535 maps at the most, and each
  /// costs a mapping of the process; QEMU without a virtual IOMMU needs about a dozen.
  public static final int MAX_REGIONS = 4096;

  private final Object changes = new Object();
  private volatile MemoryMap map = MemoryMap.EMPTY;
  private final List<RemovalListener> listeners = new CopyOnWriteArrayList<>();

  /// An address space with nothing in it.
  public GuestMemory() {}

  /// Puts RAM or ROM at `address`.
  ///
  /// @throws IllegalArgumentException when it would overlap a region or pass 2^64
  /// @throws RegionLimitException when there are [#MAX_REGIONS] already
  public void addRam(long address, RamRegion ram) {
    place(new Placed(address, lastOf(address, ram.size()), ram.writable(), ram, null));
  }

  /// Puts a region at `address` whose bytes are reached by messages only.
  ///
  /// @param size bytes, 1 or more
  /// @throws IllegalArgumentException when it would overlap a region or pass 2^64
  /// @throws RegionLimitException when there are [#MAX_REGIONS] already
  public void addMessageOnly(long address, long size, boolean writable, MessagePort port) {
    place(new Placed(address, lastOf(address, size), writable, null, port));
  }

  private static long lastOf(long address, long size) {
    long last = address + (size - 1);
    if (size <= 0 || Long.compareUnsigned(last, address) < 0) {
      throw new IllegalArgumentException(
          "region at 0x"
              + Long.toHexString(address)
              + " of "
              + size
              + " bytes passes the end of the address space or is empty");
    }
    return last;
  }

  private void place(Placed added) {
    synchronized (changes) {
      if (map.size() >= MAX_REGIONS) {
        throw new RegionLimitException(MAX_REGIONS);
      }
      if (map.overlaps(added.first(), added.last())) {
        throw new IllegalArgumentException(
            "a region already lies in " + range(added.first(), added.last()));
      }
      map = map.with(added);
    }
  }

  /// Whether removing `[first, last]` would leave a part of some region behind.
  public boolean cuts(long first, long last) {
    MemoryMap now = map;
    Placed low = now.find(first);
    Placed high = now.find(last);
    return (low != null && low.first() != first) || (high != null && high.last() != last);
  }

  /// Removes every region that lies wholly in `[first, last]`, both inclusive.
  ///
  /// New accesses miss the regions from now on. `drained` runs once when nothing can touch them any
  /// more and they are unmapped: on this thread before the call returns when nothing holds them,
  /// else on the thread that lets the last one go. Accesses by message are not waited for: their
  /// answer may need the thread that asked for the removal.
  ///
  /// @return how many regions were removed
  /// @throws IllegalArgumentException when the range cuts a region in two; nothing is removed then
  public int remove(long first, long last, Runnable drained) {
    List<Placed> gone = new ArrayList<>();
    synchronized (changes) {
      if (cuts(first, last)) {
        throw new IllegalArgumentException(range(first, last) + " cuts a region in two");
      }
      for (Placed placed : map.regions()) {
        if (Long.compareUnsigned(first, placed.first()) <= 0
            && Long.compareUnsigned(placed.last(), last) <= 0) {
          gone.add(placed);
        }
      }
      map = map.without(gone);
    }
    AtomicInteger left = new AtomicInteger(1);
    Runnable one =
        () -> {
          if (left.decrementAndGet() == 0) {
            drained.run();
          }
        };
    for (Placed placed : gone) {
      RamRegion ram = placed.ram();
      if (ram != null) {
        left.incrementAndGet();
        ram.remove(one);
        listeners.forEach(listener -> listener.removing(ram));
      }
    }
    one.run();
    return gone.size();
  }

  /// Tells `listener` of each region that leaves from now on.
  public void addRemovalListener(RemovalListener listener) {
    listeners.add(listener);
  }

  /// Undoes [#addRemovalListener].
  public void removeRemovalListener(RemovalListener listener) {
    listeners.remove(listener);
  }

  /// Loads 1, 2, 4 or 8 bytes. A naturally aligned load within a region is single and has acquire
  /// order.
  public MemoryStatus load(long address, int bytes, ByteOrder order, Word into) {
    Placed placed = map.find(address);
    if (placed == null) {
      return MemoryStatus.HOLE;
    }
    RamRegion ram = placed.ram();
    if (ram == null || placed.run(address, bytes) < bytes) {
      return Piecewise.load(this, address, bytes, order, into);
    }
    try {
      into.set(Scalars.load(ram.segment(), address - placed.first(), bytes, order));
      return MemoryStatus.OK;
    } catch (IllegalStateException | InternalError e) {
      return failed(ram, e);
    }
  }

  /// Stores the low 1, 2, 4 or 8 bytes of `value`. A naturally aligned store within a region is
  /// single and has release order.
  public MemoryStatus store(long address, int bytes, ByteOrder order, long value) {
    Placed placed = map.find(address);
    if (placed == null) {
      return MemoryStatus.HOLE;
    }
    RamRegion ram = placed.ram();
    if (ram == null || placed.run(address, bytes) < bytes) {
      return Piecewise.store(this, address, bytes, order, value);
    }
    if (!ram.writable()) {
      return MemoryStatus.READ_ONLY;
    }
    try {
      Scalars.store(ram.segment(), address - placed.first(), bytes, order, value);
      return MemoryStatus.OK;
    } catch (IllegalStateException | InternalError e) {
      return failed(ram, e);
    }
  }

  /// Replaces the 4 or 8 bytes at `address` by `desired` if they are `expected`, as one atomic
  /// step.
  ///
  /// @param witness receives what was there, whether or not it was replaced
  /// @return [MemoryStatus#MISALIGNED] unless naturally aligned; [MemoryStatus#FAILED] in
  ///   message-only memory, which has no atomics
  public MemoryStatus compareAndExchange(
      long address, int bytes, ByteOrder order, long expected, long desired, Word witness) {
    MemoryStatus possible = atomicAt(address, bytes);
    if (possible != MemoryStatus.OK) {
      return possible;
    }
    Placed placed = map.find(address);
    RamRegion ram = placed == null ? null : placed.ram();
    if (placed == null || ram == null) {
      return MemoryStatus.HOLE;
    }
    try {
      witness.set(
          Scalars.compareAndExchange(
              ram.segment(), address - placed.first(), bytes, order, expected, desired));
      return MemoryStatus.OK;
    } catch (IllegalStateException | InternalError e) {
      return failed(ram, e);
    }
  }

  /// Adds `addend` to the 4 or 8 bytes at `address`, as one atomic step; the sum wraps.
  ///
  /// @param witness receives what was there before
  /// @return as [#compareAndExchange]
  public MemoryStatus fetchAndAdd(
      long address, int bytes, ByteOrder order, long addend, Word witness) {
    for (; ; ) {
      MemoryStatus loaded = load(address, bytes, order, witness);
      if (loaded != MemoryStatus.OK) {
        return loaded;
      }
      long before = witness.asLong();
      MemoryStatus swapped =
          compareAndExchange(address, bytes, order, before, before + addend, witness);
      if (swapped != MemoryStatus.OK || witness.asLong() == before) {
        return swapped;
      }
    }
  }

  private MemoryStatus atomicAt(long address, int bytes) {
    if (bytes != 4 && bytes != 8) {
      throw new IllegalArgumentException("an atomic operation has 4 or 8 bytes, not " + bytes);
    }
    if ((address & (bytes - 1)) != 0) {
      return MemoryStatus.MISALIGNED;
    }
    Placed placed = map.find(address);
    if (placed == null) {
      return MemoryStatus.HOLE;
    }
    RamRegion ram = placed.ram();
    if (ram == null || placed.run(address, bytes) < bytes) {
      return MemoryStatus.FAILED;
    }
    if (!ram.writable()) {
      return MemoryStatus.READ_ONLY;
    }
    // The host's atomics need the host address aligned too; a region may start anywhere.
    return Scalars.isAligned(ram.segment(), address - placed.first(), bytes)
        ? MemoryStatus.OK
        : MemoryStatus.MISALIGNED;
  }

  /// Copies guest memory into `into`, across regions.
  ///
  /// @return bytes copied; when fewer than `length`, [#statusAt] of the next address says why
  public long read(long address, MemorySegment into, long offset, long length) {
    Objects.checkFromIndexSize(offset, length, into.byteSize());
    long done = 0;
    while (done < length) {
      long at = address + done;
      Placed placed = map.find(at);
      if (placed == null || endsBefore(address, at)) {
        return done;
      }
      long run = placed.run(at, length - done);
      RamRegion ram = placed.ram();
      MessagePort port = placed.port();
      if (ram != null) {
        try {
          MemorySegment.copy(ram.segment(), at - placed.first(), into, offset + done, run);
        } catch (IllegalStateException | InternalError e) {
          failed(ram, e);
          return done;
        }
      } else if (port != null && port.read(at, into, offset + done, run) != MemoryStatus.OK) {
        return done;
      }
      done += run;
    }
    return done;
  }

  /// Copies `from` into guest memory, across regions.
  ///
  /// @return bytes copied; when fewer than `length`, [#statusAt] of the next address says why
  public long write(long address, MemorySegment from, long offset, long length) {
    Objects.checkFromIndexSize(offset, length, from.byteSize());
    long done = 0;
    while (done < length) {
      long at = address + done;
      Placed placed = map.find(at);
      if (placed == null || !placed.writable() || endsBefore(address, at)) {
        return done;
      }
      long run = placed.run(at, length - done);
      RamRegion ram = placed.ram();
      MessagePort port = placed.port();
      if (ram != null) {
        try {
          MemorySegment.copy(from, offset + done, ram.segment(), at - placed.first(), run);
        } catch (IllegalStateException | InternalError e) {
          failed(ram, e);
          return done;
        }
      } else if (port != null && port.write(at, from, offset + done, run) != MemoryStatus.OK) {
        return done;
      }
      done += run;
    }
    return done;
  }

  /// Sets `length` bytes of guest memory to `value`, across regions.
  ///
  /// @return bytes set; when fewer than `length`, [#statusAt] of the next address says why
  public long fill(long address, long length, byte value) {
    MemorySegment pattern = FillPattern.of(value);
    long done = 0;
    while (done < length) {
      long chunk = Math.min(length - done, pattern.byteSize());
      long at = address + done;
      if (endsBefore(address, at)) {
        return done;
      }
      long written = write(at, pattern, 0, chunk);
      done += written;
      if (written < chunk) {
        return done;
      }
    }
    return done;
  }

  /// How many of `length` bytes from `address` on an access would reach now, without moving any.
  public long reach(long address, long length, Access access) {
    long done = 0;
    while (done < length) {
      long at = address + done;
      Placed placed = map.find(at);
      if (placed == null || (access.writes() && !placed.writable()) || endsBefore(address, at)) {
        return done;
      }
      done += placed.run(at, length - done);
    }
    return done;
  }

  /// Why an access at `address` would stop there now.
  public MemoryStatus statusAt(long address, Access access) {
    Placed placed = map.find(address);
    if (placed == null) {
      return MemoryStatus.HOLE;
    }
    if (access.writes() && !placed.writable()) {
      return MemoryStatus.READ_ONLY;
    }
    RamRegion ram = placed.ram();
    if (ram == null) {
      return MemoryStatus.WOULD_BLOCK;
    }
    return MemoryStatus.OK;
  }

  /// Holds the contiguous host memory from `address` on, at most `length` bytes, within one region.
  ///
  /// @return null when there is no RAM at the address, or it may not be written and `access`
  ///   writes: [#statusAt] says why
  public @Nullable RegionHold hold(long address, long length, Access access) {
    Placed placed = map.find(address);
    if (placed == null || (access.writes() && !placed.writable())) {
      return null;
    }
    RamRegion ram = placed.ram();
    if (ram == null || !ram.hold()) {
      return null;
    }
    long run = placed.run(address, length);
    return new RegionHold(ram, ram.segment().asSlice(address - placed.first(), run));
  }

  /// Whether `at`, reached by counting up from `start`, has passed 2^64.
  private static boolean endsBefore(long start, long at) {
    return Long.compareUnsigned(at, start) < 0;
  }

  /// Turns an exception that a removed or truncated region explains into a status; any other is a
  /// defect and goes on.
  private static MemoryStatus failed(RamRegion ram, Throwable e) {
    if (e instanceof IllegalStateException misuse && !ram.isGone()) {
      throw misuse;
    }
    return MemoryStatus.FAILED;
  }

  private static String range(long first, long last) {
    return "[0x" + Long.toHexString(first) + ", 0x" + Long.toHexString(last) + "]";
  }
}
