package dev.sluice.dma;

import dev.sluice.iommu.AccessSection;
import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Hold;
import dev.sluice.iommu.PageLease;
import dev.sluice.memory.Access;
import dev.sluice.memory.Ram;
import dev.sluice.memory.RegionHold;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Contiguous guest memory that a device keeps at hand: translated once, used many times, given
/// back with [#close()].
///
/// An invalidation over its range, or the removal of its memory, is complete only after it was
/// given back, or taken away at the deadline of [DmaContext#revocation]. So hold it for as short as
/// the work allows. Any thread may use it. Using it after it was closed ([MappingClosedException])
/// or taken away ([MappingRevokedException]) touches nothing.
public final class Mapping implements MapResult, MappedMemory {

  /// Why a mapping ends where it ends.
  public enum Stop {
    /// It has every byte that was asked for.
    COMPLETE,
    /// The next page is elsewhere in guest memory, or in another region.
    DISCONTIGUOUS,
    /// The next page is refused; mapping it alone gives the reason.
    REFUSED,
    /// It has as many bytes as one mapping may have, [DmaContext#MAX_MAPPING].
    LIMIT
  }

  private final DmaContext context;
  private final Endpoint endpoint;
  private final Ram ram;
  private final PageLease lease = new PageLease();
  private long iova;
  private long length;
  private Access access = Access.READ;
  private Stop stop = Stop.COMPLETE;

  /// The address space of the translation.
  private long tag;

  /// What the lease leads to.
  private long ramAddress;

  /// What is held instead, when there is no lease: more than a page, or memory without a number.
  private @Nullable Held held;

  private static final class Held {
    final Hold hold;
    final RegionHold memory;

    /// Whether the owner has closed it, even after it was taken away.
    volatile boolean closed;

    Held(Hold hold, RegionHold memory) {
      this.hold = hold;
      this.memory = memory;
    }
  }

  Mapping(DmaContext context) {
    this.context = context;
    endpoint = context.endpoint();
    ram = endpoint.memory().ram();
  }

  /// @throws IllegalStateException when it is open
  void checkMayOpen(DmaContext by) {
    if (context != by) {
      throw new IllegalArgumentException("a mapping of another context: " + this);
    }
    Held instead = held;
    if (lease.isTaken() || (instead != null && !instead.closed)) {
      throw new IllegalStateException("already open: " + this);
    }
    if (instead != null) {
      held = null;
    }
  }

  /// Opens it on a part of a page. Within the section that translated it.
  ///
  /// @param count read at the start of the section
  /// @return false when there are too many of this kind
  boolean open(
      AccessSection section,
      long atIova,
      long bytes,
      Access use,
      Stop why,
      long ofTag,
      long count,
      long at) {
    if (!endpoint.lease(section, lease, ofTag, atIova, atIova + (bytes - 1), count, at)) {
      return false;
    }
    iova = atIova;
    length = bytes;
    if (access != use) {
      access = use;
    }
    if (stop != why) {
      stop = why;
    }
    tag = ofTag;
    ramAddress = at;
    return true;
  }

  /// Opens it on memory that is held. Within the section that translated it.
  ///
  /// @param count read at the start of the section
  void open(long atIova, Access use, Stop why, long ofTag, long count, RegionHold memory) {
    iova = atIova;
    length = memory.bytes().byteSize();
    access = use;
    stop = why;
    tag = ofTag;
    long last = atIova + (length - 1);
    Hold hold = endpoint.hold(ofTag, atIova, last, count, memory.region(), memory::close);
    held = new Held(hold, memory);
  }

  /// I/O virtual address of its first byte.
  @Override
  public long iova() {
    return iova;
  }

  /// Bytes; perhaps fewer than were asked for, see [#stop()].
  @Override
  public long length() {
    return length;
  }

  /// What it may be used for.
  @Override
  public Access access() {
    return access;
  }

  /// Why it ends where it ends.
  public Stop stop() {
    return stop;
  }

  /// Whether it may still be used. It may be taken away at any moment after the answer.
  @Override
  public boolean isLive() {
    Held instead = held;
    return instead == null ? lease.isLive() : instead.hold.isLive();
  }

  /// Copies bytes of the mapping out, into `into` from `intoOffset` on.
  ///
  /// @param into where the mapping is taken away meanwhile it has undefined contents
  @Override
  public void read(long offset, MemorySegment into, long intoOffset, long bytes) {
    checkUse(Access.READ, offset, bytes);
    Objects.checkFromIndexSize(intoOffset, bytes, into.byteSize());
    for (long done = 0; done < bytes; done += DmaContext.SECTION_BYTES) {
      long run = Math.min(bytes - done, DmaContext.SECTION_BYTES);
      checkLive();
      Held instead = held;
      if (instead == null) {
        checkReached(ram.read(ramAddress + offset + done, into, intoOffset + done, run));
      } else {
        try {
          MemorySegment.copy(instead.memory.bytes(), offset + done, into, intoOffset + done, run);
        } catch (IllegalStateException | InternalError e) {
          throw lost(e);
        }
      }
      // Taken away in between: what was read may be somebody else's.
      checkLive();
    }
  }

  /// Copies bytes in, from `from` at `fromOffset` on.
  @Override
  public void write(long offset, MemorySegment from, long fromOffset, long bytes) {
    checkUse(Access.WRITE, offset, bytes);
    Objects.checkFromIndexSize(fromOffset, bytes, from.byteSize());
    for (long done = 0; done < bytes; done += DmaContext.SECTION_BYTES) {
      long run = Math.min(bytes - done, DmaContext.SECTION_BYTES);
      AccessSection section = enterLive(offset + done, run);
      try {
        Held instead = held;
        if (instead == null) {
          checkReached(ram.write(ramAddress + offset + done, from, fromOffset + done, run));
        } else {
          MemorySegment.copy(from, fromOffset + done, instead.memory.bytes(), offset + done, run);
        }
      } catch (InternalError e) {
        throw lost(e);
      } finally {
        section.leave();
      }
    }
  }

  /// Sets bytes to `value`.
  @Override
  public void fill(long offset, long bytes, byte value) {
    checkUse(Access.WRITE, offset, bytes);
    for (long done = 0; done < bytes; done += DmaContext.SECTION_BYTES) {
      long run = Math.min(bytes - done, DmaContext.SECTION_BYTES);
      AccessSection section = enterLive(offset + done, run);
      try {
        Held instead = held;
        if (instead == null) {
          checkReached(ram.fill(ramAddress + offset + done, run, value));
        } else {
          instead.memory.fill(offset + done, run, value);
        }
      } catch (InternalError e) {
        throw lost(e);
      } finally {
        section.leave();
      }
    }
  }

  /// Loads 1, 2, 4 or 8 bytes, zero-extended. Aligned in memory, it is a single access with acquire
  /// order.
  @Override
  public long load(long offset, int size, ByteOrder order) {
    checkUse(Access.READ, offset, size);
    checkLive();
    long loaded;
    try {
      Held instead = held;
      loaded =
          instead == null
              ? ram.load(ramAddress + offset, size, order)
              : instead.memory.load(offset, size, order);
    } catch (IllegalStateException | IndexOutOfBoundsException | InternalError e) {
      throw lost(e);
    }
    checkLive();
    return loaded;
  }

  /// Stores the low 1, 2, 4 or 8 bytes of `value`. Aligned in memory, it is a single access with
  /// release order.
  @Override
  public void store(long offset, int size, ByteOrder order, long value) {
    checkUse(Access.WRITE, offset, size);
    AccessSection section = enterLive(offset, size);
    try {
      Held instead = held;
      if (instead == null) {
        checkReached(ram.store(ramAddress + offset, size, order, value));
      } else {
        instead.memory.store(offset, size, order, value);
      }
    } catch (InternalError e) {
      throw lost(e);
    } finally {
      section.leave();
    }
  }

  /// Lets the kernel read a file straight into the mapping. An invalidation waits for the kernel;
  /// closing or revoking the mapping meanwhile takes effect when the kernel is through.
  ///
  /// @param position byte in the file
  /// @param offset byte in the mapping
  /// @param bytes how many
  /// @return bytes read, -1 at the end of the file
  @Override
  public int readFrom(FileChannel file, long position, long offset, int bytes) throws IOException {
    checkUse(Access.WRITE, offset, bytes);
    try (KernelIo io = beginIo(offset, bytes)) {
      return file.read(io.buffer(), position);
    }
  }

  /// Lets the kernel write a part of the mapping straight to a file; otherwise as [#readFrom].
  ///
  /// @return bytes written
  @Override
  public int writeTo(FileChannel file, long position, long offset, int bytes) throws IOException {
    checkUse(Access.READ, offset, bytes);
    try (KernelIo io = beginIo(offset, bytes)) {
      return file.write(io.buffer(), position);
    }
  }

  /// Input or output by the kernel, which cannot be called back: a use of its own that
  /// invalidations wait for, whatever becomes of the mapping.
  private record KernelIo(Hold hold, ByteBuffer buffer) implements AutoCloseable {
    @Override
    public void close() {
      hold.endIo();
      hold.close();
    }
  }

  private KernelIo beginIo(long offset, int bytes) {
    AccessSection section = enterLive(offset, Math.max(bytes, 1));
    try {
      RegionHold memory;
      long count;
      Held instead = held;
      if (instead == null) {
        memory = ram.hold(ramAddress + offset, bytes);
        count = lease.count();
      } else {
        memory = instead.memory.part(offset, bytes);
        count = instead.hold.count();
      }
      if (memory != null && !isLive()) {
        // Closed by another thread since: the count and the memory may be of a later mapping.
        memory.close();
        throw dead();
      }
      if (memory == null) {
        throw lost(new IllegalStateException("the memory is being removed"));
      }
      long last = iova + offset + Math.max(bytes - 1, 0);
      Hold io = endpoint.hold(tag, iova + offset, last, count, memory.region(), memory::close);
      if (!io.beginIo()) {
        // Revoked before the kernel had it: its end waits for this section, and for no kernel.
        throw new MappingRevokedException(this);
      }
      return new KernelIo(io, memory.bytes().asByteBuffer());
    } finally {
      section.leave();
    }
  }

  private void checkUse(Access use, long offset, long bytes) {
    if ((use.rights() & ~access.rights()) != 0) {
      throw new IllegalArgumentException(use + " of a mapping for " + access);
    }
    if (length == 0) {
      // Never opened.
      throw dead();
    }
    Objects.checkFromIndexSize(offset, bytes, length);
  }

  /// Begins one bounded use that changes memory: an invalidation that begins after it waits for its
  /// end.
  ///
  /// @return to be left
  private AccessSection enterLive(long offset, long bytes) {
    AccessSection section =
        endpoint.enter(tag, iova + offset, iova + offset + Math.max(bytes - 1, 0));
    if (!isLive()) {
      section.leave();
      throw dead();
    }
    return section;
  }

  private void checkLive() {
    if (!isLive()) {
      throw dead();
    }
  }

  private void checkReached(boolean reached) {
    if (!reached) {
      checkLive();
      throw lost(new InternalError("the memory did not answer"));
    }
  }

  private RuntimeException lost(Throwable e) {
    return isLive() ? new MemoryLostException(this, e) : dead();
  }

  private IllegalStateException dead() {
    Held instead = held;
    boolean closed = instead == null ? !lease.isTaken() : instead.hold.state() == Hold.State.CLOSED;
    return closed ? new MappingClosedException(this) : new MappingRevokedException(this);
  }

  /// As [#close()]: what was written is in guest memory, so nothing is left to be refused.
  @Override
  public @Nullable TargetAbort unmap() {
    close();
    return null;
  }

  /// Gives the memory back. A second call does nothing.
  @Override
  public void close() {
    Held instead = held;
    if (instead == null) {
      lease.close();
    } else {
      instead.hold.close();
      instead.closed = true;
    }
  }

  @Override
  public String toString() {
    return "mapping of %d bytes at 0x%x by %s for %s"
        .formatted(length(), iova, endpoint.requester(), access);
  }
}
