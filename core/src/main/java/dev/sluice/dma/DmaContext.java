package dev.sluice.dma;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.AccessSection;
import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.Iotlb;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Revocation;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.Ram;
import dev.sluice.memory.RegionHold;
import dev.sluice.memory.RemovalListener;
import dev.sluice.memory.Word;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A device's only way to guest memory.
///
/// Addresses are I/O virtual addresses, unsigned 64-bit numbers in a `long` whatever the guest's
/// width; behind an IOMMU the guest's tables decide what they mean, without one they are
/// guest-physical. An access may cross pages, regions and any alignment. It either moves every byte
/// and returns null, or returns a [TargetAbort] that says how many bytes moved, where it stopped
/// and why; nothing is padded or dropped in silence.
///
/// Any thread may use a context, several at a time. An access blocks only where memory is reached
/// by messages to the peer. What an access does after the guest has seen an invalidation complete
/// is decided by the new tables: see [Mapping] for the one kind of access that an invalidation may
/// have to wait for longer.
public final class DmaContext implements AutoCloseable {
  /// The most bytes moved in one access section. A longer transfer is cut, so that it keeps an
  /// invalidation waiting for microseconds however long it is.
  static final long SECTION_BYTES = 64 * 1024;

  /// The most bytes of one mapping: bounds the pages that one call translates.
  public static final long MAX_MAPPING = 16 * 1024 * 1024;

  /// How much memory the bounce mappings of a context have unless it is told otherwise: one of the
  /// largest, or those of 64 KiB that fill a queue of 256 requests. The guest decides how many
  /// there would be without it.
  public static final long DEFAULT_BOUNCE_BUDGET = 16 * 1024 * 1024;

  private final GuestMemory memory;
  private final Endpoint endpoint;
  private final @Nullable Iommu iommu;
  private final Ram ram;
  private final @Nullable RemovalListener removals;
  private final Translations translations;
  private final Transfers transfers;
  private final ScalarOperations scalars;
  private final Bounces bounces = new Bounces(this);

  /// Whether the function may make requests. Changed under this, read without. To be asked within a
  /// section, so that whoever takes the right away and then awaits the sections knows that no
  /// access is left; or after a read that takes part in no section.
  private volatile boolean mayRequest = true;

  /// Guarded by this.
  private boolean closed;

  private DmaContext(GuestMemory memory, Endpoint endpoint, @Nullable Iommu iommu) {
    this.memory = memory;
    this.endpoint = endpoint;
    this.iommu = iommu;
    ram = memory.ram();
    translations = new Translations(endpoint);
    transfers = new Transfers(this, memory, iommu, translations);
    scalars = new ScalarOperations(this, memory, iommu, translations, transfers);
    if (iommu == null) {
      removals = endpoint::surrender;
      memory.addRemovalListener(removals);
    } else {
      removals = null;
    }
  }

  /// A context without an IOMMU: I/O virtual addresses are guest-physical.
  public static DmaContext direct(GuestMemory memory, RequesterId requester) {
    return new DmaContext(memory, Endpoint.standalone(requester, memory), null);
  }

  /// A context whose every access `iommu` translates.
  ///
  /// @param memory the guest-physical memory that translated addresses lead to
  public static DmaContext behind(Iommu iommu, GuestMemory memory, RequesterId requester) {
    return new DmaContext(memory, iommu.invalidator().attach(requester, memory), iommu);
  }

  /// A context whose every access `iommu` translates, and carries a PASID: one of the several
  /// address spaces of a function. Each PASID has a context, with the right to make requests, the
  /// mappings and the end of its own.
  ///
  /// @param memory the guest-physical memory that translated addresses lead to
  /// @param pasid 0 to [Endpoint#MAX_PASID]
  public static DmaContext behind(
      Iommu iommu, GuestMemory memory, RequesterId requester, int pasid) {
    return new DmaContext(memory, iommu.invalidator().attach(requester, pasid, memory), iommu);
  }

  /// Who accesses through this context.
  public RequesterId requester() {
    return endpoint.requester();
  }

  /// The requester as its IOMMU knows it, with its statistics.
  public Endpoint endpoint() {
    return endpoint;
  }

  /// Switches the function's right to make requests, its bus master enable bit. It starts switched
  /// on. An access under way may go on to the end of its section.
  public synchronized void busMaster(boolean on) {
    mayRequest = on && !closed;
  }

  boolean mayRequest() {
    return mayRequest;
  }

  /// How long a mapping of this context may keep an invalidation, or the removal of memory, waiting
  /// before it is taken away.
  public void revocation(Revocation policy) {
    endpoint.revocation(policy);
  }

  // --- copies

  /// Whether an access would be allowed now; records no fault and moves nothing.
  ///
  /// @param length bytes, 0 or more
  /// @return null if every byte is allowed; else the first that is not, with the bytes before it as
  ///   moved
  public @Nullable TargetAbort check(long iova, long length, Access access) {
    return transfers.move(
        TransferKind.checking(access), iova, Transfers.NOTHING, 0, checkedLength(length), (byte) 0);
  }

  /// Reads guest memory into `into` from `offset` on.
  ///
  /// @param into native memory is fastest. Where bytes did not move it has what it had, or zeros
  /// @param length bytes, 0 or more
  /// @return null if every byte moved
  public @Nullable TargetAbort read(long iova, MemorySegment into, long offset, long length) {
    return isInPage(iova, length) && readCached(iova, into, offset, length)
        ? null
        : readInFull(iova, into, offset, length);
  }

  private @Nullable TargetAbort readInFull(
      long iova, MemorySegment into, long offset, long length) {
    Objects.checkFromIndexSize(offset, length, into.byteSize());
    TargetAbort abort = transfers.move(TransferKind.READ, iova, into, offset, length, (byte) 0);
    if (abort != null && iommu != null && isInPage(iova, length)) {
      // What the vain attempt may have brought is not the device's to see.
      into.asSlice(offset + abort.bytesMoved(), length - abort.bytesMoved()).fill((byte) 0);
    }
    return abort;
  }

  /// Writes `from`, from `offset` on, to guest memory.
  ///
  /// @param length bytes, 0 or more
  /// @return null if every byte moved
  public @Nullable TargetAbort write(long iova, MemorySegment from, long offset, long length) {
    return isInPage(iova, length) && writeCached(iova, from, offset, length)
        ? null
        : writeInFull(iova, from, offset, length);
  }

  private @Nullable TargetAbort writeInFull(
      long iova, MemorySegment from, long offset, long length) {
    Objects.checkFromIndexSize(offset, length, from.byteSize());
    return transfers.move(TransferKind.WRITE, iova, from, offset, length, (byte) 0);
  }

  /// Sets guest memory to `value`.
  ///
  /// @param length bytes, 0 or more
  /// @return null if every byte was set
  public @Nullable TargetAbort fill(long iova, long length, byte value) {
    return transfers.move(
        TransferKind.FILL, iova, Transfers.NOTHING, 0, checkedLength(length), value);
  }

  /// Whether an access is of one page, so that one cached translation decides it.
  static boolean isInPage(long iova, long length) {
    return length > 0 && (iova & (GuestMemory.PAGE - 1)) + length <= GuestMemory.PAGE;
  }

  /// A read by a cached translation. It takes part in no invalidation: it looks afterwards whether
  /// one came in between, and is done again then.
  ///
  /// @return false when it has to be done in full
  private boolean readCached(long iova, MemorySegment into, long offset, long length) {
    // Local, here and below, as a fence makes the compiler load every field again.
    Endpoint by = endpoint;
    long count = by.count();
    long at = by.cached(iova, READ);
    return at != Iotlb.MISS
        && ram.read(at, into, offset, length)
        && by.isUndisturbed(count)
        && mayRequest;
  }

  /// A write by a cached translation, in a section.
  ///
  /// @return false when it has to be done in full
  private boolean writeCached(long iova, MemorySegment from, long offset, long length) {
    Endpoint by = endpoint;
    Ram to = ram;
    Iotlb space = by.space();
    if (space == null) {
      return false;
    }
    AccessSection section = by.enter(space.tag(), iova, iova + (length - 1));
    try {
      long at = mayUse(by, space) ? space.find(iova, WRITE) : Iotlb.MISS;
      return at != Iotlb.MISS && to.write(at, from, offset, length);
    } finally {
      section.leave();
    }
  }

  private static final int READ = Access.READ.rights();
  private static final int WRITE = Access.WRITE.rights();

  /// Reads `length` bytes of `list`, from byte `skip` of it on, into `into` from `offset` on.
  ///
  /// @return null if every byte moved
  public @Nullable TargetAbort read(
      ScatterGatherList list, long skip, MemorySegment into, long offset, long length) {
    Objects.checkFromIndexSize(offset, length, into.byteSize());
    return transfers.moveList(TransferKind.READ, list, skip, into, offset, length, (byte) 0);
  }

  /// Writes `length` bytes of `from`, from `offset` on, to `list` from byte `skip` of it on.
  ///
  /// @return null if every byte moved
  public @Nullable TargetAbort write(
      ScatterGatherList list, long skip, MemorySegment from, long offset, long length) {
    Objects.checkFromIndexSize(offset, length, from.byteSize());
    return transfers.moveList(TransferKind.WRITE, list, skip, from, offset, length, (byte) 0);
  }

  /// Sets `length` bytes of `list`, from byte `skip` of it on, to `value`.
  ///
  /// @return null if every byte was set
  public @Nullable TargetAbort fill(ScatterGatherList list, long skip, long length, byte value) {
    return transfers.moveList(
        TransferKind.FILL, list, skip, Transfers.NOTHING, 0, checkedLength(length), value);
  }

  private static long checkedLength(long length) {
    if (length < 0) {
      throw new IllegalArgumentException("length must not be negative: " + length);
    }
    return length;
  }

  // --- loads, stores, atomic operations

  /// Loads 1, 2, 4 or 8 bytes. Naturally aligned, it is a single access with acquire order.
  ///
  /// @return null if `into` has the value
  public @Nullable TargetAbort load(long iova, int bytes, ByteOrder order, Word into) {
    return isInPage(iova, bytes) && loadCached(iova, bytes, order, into)
        ? null
        : scalars.run(ScalarOperations.Kind.LOAD, Access.READ, iova, bytes, order, 0, 0, into);
  }

  /// Stores the low 1, 2, 4 or 8 bytes of `value`. Naturally aligned, it is a single access with
  /// release order.
  ///
  /// @return null if it was stored
  public @Nullable TargetAbort store(long iova, int bytes, ByteOrder order, long value) {
    return isInPage(iova, bytes) && storeCached(iova, bytes, order, value)
        ? null
        : scalars.run(
            ScalarOperations.Kind.STORE,
            Access.WRITE,
            iova,
            bytes,
            order,
            value,
            0,
            ScalarOperations.UNUSED);
  }

  /// Replaces 4 or 8 naturally aligned bytes by `desired` if they are `expected`, atomically.
  ///
  /// @param witness receives what was there, replaced or not
  /// @return null if the comparison took place
  public @Nullable TargetAbort compareAndExchange(
      long iova, int bytes, ByteOrder order, long expected, long desired, Word witness) {
    return scalars.run(
        ScalarOperations.Kind.COMPARE_AND_EXCHANGE,
        Access.READ_WRITE,
        iova,
        bytes,
        order,
        expected,
        desired,
        witness);
  }

  /// Adds `addend` to 4 or 8 naturally aligned bytes, atomically; the sum wraps.
  ///
  /// @param witness receives what was there before
  /// @return null if it was added
  public @Nullable TargetAbort fetchAndAdd(
      long iova, int bytes, ByteOrder order, long addend, Word witness) {
    return scalars.run(
        ScalarOperations.Kind.FETCH_AND_ADD,
        Access.READ_WRITE,
        iova,
        bytes,
        order,
        addend,
        0,
        witness);
  }

  /// A load by a cached translation, like [#readCached].
  private boolean loadCached(long iova, int bytes, ByteOrder order, Word into) {
    long count = endpoint.count();
    long at = endpoint.cached(iova, READ);
    if (at == Iotlb.MISS || !ram.load(at, bytes, order, into)) {
      return false;
    }
    if (endpoint.isUndisturbed(count) && mayRequest) {
      return true;
    }
    into.set(0);
    return false;
  }

  /// A store by a cached translation, in a section, like [#writeCached].
  private boolean storeCached(long iova, int bytes, ByteOrder order, long value) {
    Endpoint by = endpoint;
    Ram to = ram;
    Iotlb space = by.space();
    if (space == null) {
      return false;
    }
    AccessSection section = by.enter(space.tag(), iova, iova + (bytes - 1));
    try {
      long at = mayUse(by, space) ? space.find(iova, WRITE) : Iotlb.MISS;
      return at != Iotlb.MISS && to.store(at, bytes, order, value);
    } finally {
      section.leave();
    }
  }

  /// Within a section of this address space alone: whether it is still the one.
  boolean mayUse(Endpoint by, Iotlb space) {
    return by.space() == space && mayRequest;
  }

  // --- mappings

  /// Maps guest memory from `iova` on: as much of `length` as is contiguous in one region, at least
  /// one byte.
  ///
  /// @param length bytes, 1 or more
  /// @return a [Mapping], perhaps shorter than asked for, or a [TargetAbort] about its first byte
  public MapResult map(long iova, long length, Access access) {
    Mapping mapping = newMapping();
    TargetAbort abort = map(iova, length, access, mapping);
    return abort == null ? mapping : abort;
  }

  /// A mapping of nothing, for [#map(long, long, Access, Mapping)] to open as often as is wanted.
  public Mapping newMapping() {
    return new Mapping(this);
  }

  /// Maps as [#map(long, long, Access)] does, by opening a mapping that was made before: so a
  /// device that maps and unmaps for each request allocates nothing as long as each is of one page.
  ///
  /// @param length bytes, 1 or more
  /// @param into a mapping of this context's that is not open. No other thread may be using it
  /// @return null when it is open, perhaps for fewer bytes than asked; else why the first byte is
  ///   refused
  /// @throws IllegalStateException when it is open
  public @Nullable TargetAbort map(long iova, long length, Access access, Mapping into) {
    if (length <= 0) {
      throw new IllegalArgumentException("a mapping has 1 byte or more, not " + length);
    }
    into.checkMayOpen(this);
    if (isInPage(iova, length) && mapCached(iova, length, access, into)) {
      return null;
    }
    AccessSection section =
        endpoint.enter(
            iova, iova + (Math.min(Transfers.untilTheEnd(iova, length), MAX_MAPPING) - 1));
    try {
      // Before any lookup: see Invalidator.
      long count = endpoint.count();
      return mayRequest
          ? mapSection(iova, length, access, count, section, into)
          : translations.abort(iova, access, AbortReason.BUS_MASTER_OFF);
    } finally {
      section.leave();
    }
  }

  /// Maps a part of a page by a cached translation, or without an IOMMU, in a section.
  ///
  /// @return false when it has to be done in full
  private boolean mapCached(long iova, long length, Access access, Mapping into) {
    Endpoint by = endpoint;
    Iotlb space = by.space();
    if (iommu != null && space == null) {
      return false;
    }
    long tag = space == null ? 0 : space.tag();
    AccessSection section = by.enter(tag, iova, iova + (length - 1));
    try {
      long count = by.count();
      if (by.space() != space || !mayRequest) {
        return false;
      }
      long at =
          space == null
              ? memory.ramAddress(iova, length, access.writes())
              : space.find(iova, access.rights());
      return at != Ram.NOWHERE
          && into.open(section, iova, length, access, Mapping.Stop.COMPLETE, tag, count, at);
    } finally {
      section.leave();
    }
  }

  /// @param section the open section
  /// @param count read at its start
  private @Nullable TargetAbort mapSection(
      long iova, long length, Access access, long count, AccessSection section, Mapping into) {
    Iotlb space = endpoint.space();
    if (iommu != null && space != null && isInPage(iova, length)) {
      long at = endpoint.resolve(iommu, space, iova, access);
      if (at != Iotlb.MISS
          && into.open(
              section, iova, length, access, Mapping.Stop.COMPLETE, space.tag(), count, at)) {
        return null;
      }
    }
    long possible = Transfers.untilTheEnd(iova, length);
    long wanted = Math.min(possible, MAX_MAPPING);
    long address = iova;
    long found = wanted;
    long tag = 0;
    Mapping.Stop stop =
        wanted == length
            ? Mapping.Stop.COMPLETE
            : wanted == possible ? Mapping.Stop.REFUSED : Mapping.Stop.LIMIT;
    if (iommu != null) {
      found = 0;
      while (found < wanted) {
        long at = iova + found;
        Translation translation = translations.translation(iommu, at, access);
        if (!(translation instanceof Translation.Page page)) {
          if (found > 0) {
            stop = Mapping.Stop.REFUSED;
            break;
          }
          return translation instanceof Translation.Fault fault
              ? translations.refused(iommu, at, access, fault, true)
              : translations.abort(at, access, AbortReason.INTERRUPT_RANGE);
        }
        if (found == 0) {
          address = page.translate(at);
          tag = page.tag();
        } else if (page.translate(at) != address + found || page.tag() != tag) {
          stop = Mapping.Stop.DISCONTIGUOUS;
          break;
        }
        found += Math.min(wanted - found, page.last() - at + 1);
      }
    }
    if (isInPage(iova, found)) {
      long ramAddress = memory.ramAddress(address, found, access.writes());
      if (ramAddress != Ram.NOWHERE
          && into.open(section, iova, found, access, stop, tag, count, ramAddress)) {
        return null;
      }
    }
    RegionHold held = memory.hold(address, found, access);
    if (held == null) {
      return translations.abort(
          iova, access, Translations.reason(memory.holdStatusAt(address, access)));
    }
    long run = held.bytes().byteSize();
    if (run < found) {
      stop =
          memory.holdStatusAt(address + run, access) == MemoryStatus.OK
              ? Mapping.Stop.DISCONTIGUOUS
              : Mapping.Stop.REFUSED;
    }
    into.open(iova, access, stop, tag, count, held);
    return null;
  }

  // --- whole mappings

  /// Maps the whole of a range as one run of bytes, whatever it is made of: the memory itself where
  /// it is contiguous RAM, else a copy of it, a bounce mapping. See [MappedMemory] for what
  /// differs.
  ///
  /// A bounce mapping takes room, in powers of two of pages, of the context's [#bounceBudget]. The
  /// call waits for none: where there is none, or others wait for some, it answers [NoRoom].
  ///
  /// @param length bytes, 1 or more; more than [#MAX_MAPPING] is answered with [NoRoom]
  /// @return [MappedMemory] of `length` bytes, to be closed; or a [TargetAbort] about the first
  ///   byte that is refused; or [NoRoom]
  public WholeResult mapWhole(long iova, long length, Access access) {
    return bounces.map(iova, length, access, null);
  }

  /// Maps as [#mapWhole(long, long, Access)] does, in room that was waited for.
  ///
  /// @param room of this context, for `length` bytes or more. A bounce mapping takes it over; with
  ///   any other result it stays with the caller
  /// @return never [NoRoom]
  public WholeResult mapWhole(long iova, long length, Access access, BounceRoom room) {
    return bounces.map(iova, length, access, room);
  }

  /// Waits, without a thread, until there is room for a bounce mapping of so many bytes. Those who
  /// wait are served in the order in which they came, large or small.
  ///
  /// @param bytes 1 to [NoRoom#most()]
  /// @param then runs once, with the room: before the call returns when there is some and nobody
  ///   waits, else on the thread that gives it back, one at a time and without a lock. It must not
  ///   block. Never when the context is closed before
  /// @return false when `then` will not run: the context is closed, or 256 wait already
  public boolean whenRoom(long bytes, Consumer<? super BounceRoom> then) {
    return bounces.budget().whenRoom(bytes, then);
  }

  /// Limits the memory of bounce mappings, at first [#DEFAULT_BOUNCE_BUDGET] bytes. To be set
  /// before they are used.
  ///
  /// @param bytes 0 or more; less than a page: there are none
  /// @throws IllegalStateException when one is open, or waited for
  public void bounceBudget(long bytes) {
    bounces.budget().set(bytes);
  }

  /// Bytes of the budget that bounce mappings, and those who are about to make one, have now.
  public long bounceBytes() {
    return bounces.budget().given();
  }

  /// Who is told when a bounce mapping ends by [MappedMemory#close()] and not all of what was
  /// written to it could be written back. Without a handler it is logged.
  ///
  /// @param handler runs on the thread that closes
  public void onRefusedWriteBack(Consumer<? super TargetAbort> handler) {
    bounces.onRefused(handler);
  }

  /// Whether a bounce mapping may be written back as things are; if not, the guest is told.
  @Nullable TargetAbort claim(long iova, long length, Access access) {
    TransferKind kind = access.reads() ? TransferKind.CLAIM_BOTH : TransferKind.CLAIM_WRITE;
    return transfers.move(kind, iova, Transfers.NOTHING, 0, length, (byte) 0);
  }

  @Nullable TargetAbort writeBack(long iova, MemorySegment from, long offset, long length) {
    return transfers.move(TransferKind.WRITE_BACK, iova, from, offset, length, (byte) 0);
  }

  TargetAbort noBusMaster(long iova, Access access) {
    return translations.abort(iova, access, AbortReason.BUS_MASTER_OFF);
  }

  /// Ends the context: later accesses are refused as if bus mastering were off, mappings are taken
  /// away, bounce mappings with what was not written back, and the IOMMU forgets the requester when
  /// its accesses have ended.
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      mayRequest = false;
    }
    bounces.close();
    if (iommu != null) {
      iommu.invalidator().detach(endpoint);
    } else if (removals != null) {
      // After its last lease, so that none outlives its memory.
      endpoint.shutDown(() -> memory.removeRemovalListener(removals));
    }
  }
}
