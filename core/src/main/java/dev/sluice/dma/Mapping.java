package dev.sluice.dma;

import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Hold;
import dev.sluice.memory.Access;
import dev.sluice.memory.RegionHold;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.Objects;

/// Contiguous guest memory that a device keeps at hand: translated once, used many times, given
/// back with [#close()].
///
/// An invalidation over its range, or the removal of its memory, is complete only after it was
/// given back, or taken away at the deadline of [DmaContext#revocation]. So hold it for as short as
/// the work allows. Any thread may use it. Using it after it was closed ([MappingClosedException])
/// or taken away ([MappingRevokedException]) touches nothing.
public final class Mapping implements MapResult, AutoCloseable {

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

  private final Endpoint endpoint;
  private final long iova;
  private final Access access;
  private final Stop stop;
  private final RegionHold memory;
  private final Hold hold;

  private Mapping(
      Endpoint endpoint, long iova, Access access, Stop stop, RegionHold memory, Hold hold) {
    this.endpoint = endpoint;
    this.iova = iova;
    this.access = access;
    this.stop = stop;
    this.memory = memory;
    this.hold = hold;
  }

  /// Makes a mapping that the drain knows of. Within the section that translated it.
  ///
  /// @param tag the address space of the translation
  /// @param generation read at the start of the section
  static Mapping of(
      Endpoint endpoint,
      long iova,
      Access access,
      Stop stop,
      RegionHold memory,
      long tag,
      long generation) {
    long last = iova + (memory.bytes().byteSize() - 1);
    Hold hold = endpoint.hold(tag, iova, last, generation, memory.region(), memory::close);
    return new Mapping(endpoint, iova, access, stop, memory, hold);
  }

  /// I/O virtual address of its first byte.
  public long iova() {
    return iova;
  }

  /// Bytes; perhaps fewer than were asked for, see [#stop()].
  public long length() {
    return memory.bytes().byteSize();
  }

  /// What it may be used for.
  public Access access() {
    return access;
  }

  /// Why it ends where it ends.
  public Stop stop() {
    return stop;
  }

  /// Whether it may still be used. It may be taken away at any moment after the answer.
  public boolean isLive() {
    return hold.isLive();
  }

  /// Copies bytes of the mapping out, into `into` from `intoOffset` on.
  public void read(long offset, MemorySegment into, long intoOffset, long length) {
    checkUse(Access.READ, offset, length);
    Objects.checkFromIndexSize(intoOffset, length, into.byteSize());
    for (long done = 0; done < length; done += DmaContext.SECTION_BYTES) {
      long run = Math.min(length - done, DmaContext.SECTION_BYTES);
      int section = enterLive();
      try {
        MemorySegment.copy(memory.bytes(), offset + done, into, intoOffset + done, run);
      } catch (InternalError e) {
        throw new MemoryLostException(this, e);
      } finally {
        endpoint.leave(section);
      }
    }
  }

  /// Copies bytes in, from `from` at `fromOffset` on.
  public void write(long offset, MemorySegment from, long fromOffset, long length) {
    checkUse(Access.WRITE, offset, length);
    Objects.checkFromIndexSize(fromOffset, length, from.byteSize());
    for (long done = 0; done < length; done += DmaContext.SECTION_BYTES) {
      long run = Math.min(length - done, DmaContext.SECTION_BYTES);
      int section = enterLive();
      try {
        MemorySegment.copy(from, fromOffset + done, memory.bytes(), offset + done, run);
      } catch (InternalError e) {
        throw new MemoryLostException(this, e);
      } finally {
        endpoint.leave(section);
      }
    }
  }

  /// Sets bytes to `value`.
  public void fill(long offset, long length, byte value) {
    checkUse(Access.WRITE, offset, length);
    for (long done = 0; done < length; done += DmaContext.SECTION_BYTES) {
      long run = Math.min(length - done, DmaContext.SECTION_BYTES);
      int section = enterLive();
      try {
        memory.fill(offset + done, run, value);
      } catch (InternalError e) {
        throw new MemoryLostException(this, e);
      } finally {
        endpoint.leave(section);
      }
    }
  }

  /// Loads 1, 2, 4 or 8 bytes, zero-extended. Aligned in memory, it is a single access with acquire
  /// order.
  public long load(long offset, int size, ByteOrder order) {
    checkUse(Access.READ, offset, size);
    int section = enterLive();
    try {
      return memory.load(offset, size, order);
    } catch (InternalError e) {
      throw new MemoryLostException(this, e);
    } finally {
      endpoint.leave(section);
    }
  }

  /// Stores the low 1, 2, 4 or 8 bytes of `value`. Aligned in memory, it is a single access with
  /// release order.
  public void store(long offset, int size, ByteOrder order, long value) {
    checkUse(Access.WRITE, offset, size);
    int section = enterLive();
    try {
      memory.store(offset, size, order, value);
    } catch (InternalError e) {
      throw new MemoryLostException(this, e);
    } finally {
      endpoint.leave(section);
    }
  }

  /// Lets the kernel read a file straight into the mapping. An invalidation waits for the kernel;
  /// closing or revoking the mapping meanwhile takes effect when the kernel is through.
  ///
  /// @param position byte in the file
  /// @param offset byte in the mapping
  /// @param length bytes
  /// @return bytes read, -1 at the end of the file
  public int readFrom(FileChannel file, long position, long offset, int length) throws IOException {
    checkUse(Access.WRITE, offset, length);
    beginIo();
    try {
      return file.read(buffer(offset, length), position);
    } finally {
      hold.endIo();
    }
  }

  /// Lets the kernel write a part of the mapping straight to a file; otherwise as [#readFrom].
  ///
  /// @return bytes written
  public int writeTo(FileChannel file, long position, long offset, int length) throws IOException {
    checkUse(Access.READ, offset, length);
    beginIo();
    try {
      return file.write(buffer(offset, length), position);
    } finally {
      hold.endIo();
    }
  }

  private ByteBuffer buffer(long offset, int length) {
    return memory.bytes().asSlice(offset, length).asByteBuffer();
  }

  private void beginIo() {
    int section = enterLive();
    try {
      if (!hold.beginIo()) {
        throw dead();
      }
    } finally {
      endpoint.leave(section);
    }
  }

  private void checkUse(Access use, long offset, long length) {
    if ((use.reads() && !access.reads()) || (use.writes() && !access.writes())) {
      throw new IllegalArgumentException(use + " of a mapping for " + access);
    }
    Objects.checkFromIndexSize(offset, length, length());
  }

  /// Begins one bounded use: an invalidation that begins after it waits for its end.
  ///
  /// @return the section, to be left
  private int enterLive() {
    int section = endpoint.enter();
    if (!hold.isLive()) {
      endpoint.leave(section);
      throw dead();
    }
    return section;
  }

  private IllegalStateException dead() {
    return hold.state() == Hold.State.REVOKED
        ? new MappingRevokedException(this)
        : new MappingClosedException(this);
  }

  /// Gives the memory back. A second call does nothing.
  @Override
  public void close() {
    hold.close();
  }

  @Override
  public String toString() {
    return "mapping of %d bytes at 0x%x by %s for %s"
        .formatted(length(), iova, endpoint.requester(), access);
  }
}
