package dev.sluice.memory;

import dev.sluice.memory.MemoryMap.Placed;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
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
///
/// So does a peer that shortens the file behind a region, as a rule. But the JDK's compiled code
/// notices that fault at its next safepoint, which may lie behind the access: then the thread gets
/// an [InternalError] a moment later. Whoever runs a thread that accesses guest memory expects it
/// there, and ends the session of such a peer.
public final class GuestMemory {
  /// Bytes of the smallest guest page, 4 KiB.
  public static final long PAGE = 4096;

  /// The most regions at a time. A vfio-user client announces 65,535 maps at the most, and each
  /// costs a mapping of the process; QEMU without a virtual IOMMU needs about a dozen.
  public static final int MAX_REGIONS = 4096;

  /// What stands for "no guest-physical address": the last byte of the address space, which begins
  /// no page.
  public static final long NO_ADDRESS = -1;

  private final Object changes = new Object();
  private volatile MemoryMap map = MemoryMap.EMPTY;
  private final Ram ram = new Ram();
  private final List<RemovalListener> listeners = new CopyOnWriteArrayList<>();

  /// An address space with nothing in it.
  public GuestMemory() {}

  /// Puts RAM or ROM at `address`.
  ///
  /// @throws IllegalArgumentException when it would overlap a region or pass 2^64, or has been
  ///   placed before
  /// @throws RegionLimitException when there are [#MAX_REGIONS] already
  public void addRam(long address, RamRegion ram) {
    place(Placed.of(ram, address, lastOf(address, ram.size())));
  }

  /// Puts a region at `address` whose bytes are reached by messages only.
  ///
  /// @param size bytes, 1 or more
  /// @throws IllegalArgumentException when it would overlap a region or pass 2^64
  /// @throws RegionLimitException when there are [#MAX_REGIONS] already
  public void addMessageOnly(long address, long size, boolean writable, MessagePort port) {
    place(Placed.of(port, address, lastOf(address, size), writable));
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
      RamRegion ram = added.ram();
      if (ram != null && !ram.place()) {
        throw new IllegalArgumentException("the region has been placed before");
      }
      if (ram != null) {
        ram.number(this.ram.add(ram));
        added.numbered();
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
  /// @throws IllegalArgumentException when the range is empty or cuts a region in two; nothing is
  ///   removed then
  /// @throws IllegalStateException when a region cannot be unmapped as somebody uses its bytes
  ///   without a hold; the others are removed, `drained` does not run
  public int remove(long first, long last, Runnable drained) {
    if (Long.compareUnsigned(first, last) > 0) {
      throw new IllegalArgumentException(range(first, last) + " is empty");
    }
    List<Placed> gone;
    synchronized (changes) {
      if (cuts(first, last)) {
        throw new IllegalArgumentException(range(first, last) + " cuts a region in two");
      }
      gone = map.within(first, last);
      map = map.without(first, last);
    }
    gone.forEach(Placed::close);
    AtomicInteger left = new AtomicInteger(1);
    Runnable one =
        () -> {
          if (left.decrementAndGet() == 0) {
            drained.run();
          }
        };
    RuntimeException failure = null;
    for (Placed placed : gone) {
      RamRegion region = placed.ram();
      if (region != null) {
        left.incrementAndGet();
        try {
          remove(region, one);
        } catch (RuntimeException e) {
          failure = e;
        }
      }
    }
    one.run();
    if (failure != null) {
      throw failure;
    }
    return gone.size();
  }

  /// Takes a region that is in the map no more from those who use it.
  private void remove(RamRegion region, Runnable unmapped) {
    // Each listener's hold first: with the last one gone the region is unmapped and its number
    // free.
    List<RemovalListener> told = listeners.stream().filter(_ -> region.hold()).toList();
    try {
      region.remove(() -> {
        if (region.number() >= 0) {
          ram.remove(region.number());
        }
        unmapped.run();
      });
    } finally {
      told.forEach(listener -> listener.removing(region, region::release));
    }
  }

  /// The RAM by number, for who keeps a way to it: see [Ram].
  public Ram ram() {
    return ram;
  }

  /// The RAM address of `[address, address + length)`.
  ///
  /// @param length bytes, 1 or more
  /// @param write whether the bytes are to be written
  /// @return [Ram#NOWHERE] unless all of it lies in one region with a number, which may be written
  ///   if it is to be
  public long ramAddress(long address, long length, boolean write) {
    Placed placed = map.find(address);
    if (placed == null || (write && !placed.writable())) {
      return Ram.NOWHERE;
    }
    RamRegion region = placed.ram();
    long offset = address - placed.first();
    return region != null
            && placed.run(address, length) >= length
            && hasRamAddress(region, offset, length)
        ? Ram.address(region.number(), offset)
        : Ram.NOWHERE;
  }

  static boolean hasRamAddress(RamRegion region, long offset, long length) {
    // Not the last page either, so that no run of RAM addresses goes on in another region.
    return region.number() >= 0 && offset <= Ram.REACH - PAGE - length;
  }

  /// The RAM at an address, for loads from it and from its neighbourhood; null when there is none.
  public @Nullable RamWindow window(long address) {
    Placed placed = map.find(address);
    return placed == null ? null : placed.window();
  }

  /// The guest-physical address of a RAM address of a region that is in the map.
  ///
  /// @return [#NO_ADDRESS] when the region has left the map
  public long addressOf(long ramAddress) {
    return map.addressOf(Ram.number(ramAddress), Ram.offset(ramAddress));
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
  /// @return [MemoryStatus#MISALIGNED] unless naturally aligned; [MemoryStatus#NO_ATOMICS] in
  ///   message-only memory, and where the [region][RamRegion#hasAtomics] has none
  public MemoryStatus compareAndExchange(
      long address, int bytes, ByteOrder order, long expected, long desired, Word witness) {
    Placed placed = map.find(address);
    MemoryStatus possible = atomicAt(placed, address, bytes);
    if (placed == null || placed.ram() == null || possible != MemoryStatus.OK) {
      return possible;
    }
    RamRegion ram = placed.ram();
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
    Placed placed = map.find(address);
    MemoryStatus possible = atomicAt(placed, address, bytes);
    if (placed == null || placed.ram() == null || possible != MemoryStatus.OK) {
      return possible;
    }
    RamRegion ram = placed.ram();
    try {
      witness.set(
          Scalars.fetchAndAdd(ram.segment(), address - placed.first(), bytes, order, addend));
      return MemoryStatus.OK;
    } catch (IllegalStateException | InternalError e) {
      return failed(ram, e);
    }
  }

  /// Whether an atomic operation is possible in what was found at `address`.
  private static MemoryStatus atomicAt(@Nullable Placed placed, long address, int bytes) {
    if (bytes != 4 && bytes != 8) {
      throw new IllegalArgumentException("an atomic operation has 4 or 8 bytes, not " + bytes);
    }
    if ((address & (bytes - 1)) != 0) {
      return MemoryStatus.MISALIGNED;
    }
    if (placed == null) {
      return MemoryStatus.HOLE;
    }
    RamRegion ram = placed.ram();
    if (ram == null) {
      return MemoryStatus.NO_ATOMICS;
    }
    if (placed.run(address, bytes) < bytes) {
      return MemoryStatus.FAILED;
    }
    if (!ram.writable()) {
      return MemoryStatus.READ_ONLY;
    }
    if (!ram.hasAtomics()) {
      return MemoryStatus.NO_ATOMICS;
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
      if (placed == null
          || endsBefore(address, at)
          || (access.writes() && !placed.writable())
          || !placed.mayWait()) {
        return done;
      }
      done += placed.run(at, length - done);
    }
    return done;
  }

  /// Why an access at `address` would stop there now.
  ///
  /// @return [MemoryStatus#OK] when nothing stands in its way: an access that stopped there met
  ///   memory that failed or was replaced
  public MemoryStatus statusAt(long address, Access access) {
    Placed placed = map.find(address);
    MemoryStatus allowed = allowed(placed, access);
    return allowed != MemoryStatus.OK || placed == null || placed.mayWait()
        ? allowed
        : MemoryStatus.WOULD_BLOCK;
  }

  /// Why a hold at `address` is refused now: as [#statusAt], and [MemoryStatus#WOULD_BLOCK] for
  /// memory that only messages reach, from any thread.
  public MemoryStatus holdStatusAt(long address, Access access) {
    Placed placed = map.find(address);
    MemoryStatus allowed = allowed(placed, access);
    return allowed != MemoryStatus.OK || placed == null || placed.ram() != null
        ? allowed
        : MemoryStatus.WOULD_BLOCK;
  }

  private static MemoryStatus allowed(@Nullable Placed placed, Access access) {
    if (placed == null) {
      return MemoryStatus.HOLE;
    }
    return access.writes() && !placed.writable() ? MemoryStatus.READ_ONLY : MemoryStatus.OK;
  }

  /// Holds the contiguous host memory from `address` on, at most `length` bytes, within one region.
  ///
  /// @return null when there is no RAM at the address, or it may not be written and `access`
  ///   writes: [#holdStatusAt] says why
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
  static MemoryStatus failed(RamRegion ram, Throwable e) {
    if (e instanceof IllegalStateException misuse && !ram.isGone()) {
      throw misuse;
    }
    RamRegion.clearInterrupt(e);
    return MemoryStatus.FAILED;
  }

  private static String range(long first, long last) {
    return "[0x" + Long.toHexString(first) + ", 0x" + Long.toHexString(last) + "]";
  }
}
