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
import java.lang.foreign.ValueLayout;
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

  private enum Kind {
    READ(Access.READ),
    WRITE(Access.WRITE),
    /// A write that is never an interrupt message.
    WRITE_BACK(Access.WRITE),
    FILL(Access.WRITE),
    CHECK_READ(Access.READ),
    CHECK_WRITE(Access.WRITE),
    CHECK_BOTH(Access.READ_WRITE),
    /// Checks that report a fault, as an access that is announced does.
    CLAIM_WRITE(Access.WRITE),
    CLAIM_BOTH(Access.READ_WRITE);

    final Access access;

    Kind(Access access) {
      this.access = access;
    }

    boolean isCheck() {
      return this == CHECK_READ || this == CHECK_WRITE || this == CHECK_BOTH;
    }

    static Kind checking(Access access) {
      return switch (access) {
        case READ -> CHECK_READ;
        case WRITE -> CHECK_WRITE;
        case READ_WRITE -> CHECK_BOTH;
      };
    }
  }

  private static final MemorySegment NOTHING = MemorySegment.NULL;

  private final GuestMemory memory;
  private final Endpoint endpoint;
  private final @Nullable Iommu iommu;
  private final Ram ram;
  private final @Nullable RemovalListener removals;
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
    return move(Kind.checking(access), iova, NOTHING, 0, checkedLength(length), (byte) 0);
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
    TargetAbort abort = move(Kind.READ, iova, into, offset, length, (byte) 0);
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
    return move(Kind.WRITE, iova, from, offset, length, (byte) 0);
  }

  /// Sets guest memory to `value`.
  ///
  /// @param length bytes, 0 or more
  /// @return null if every byte was set
  public @Nullable TargetAbort fill(long iova, long length, byte value) {
    return move(Kind.FILL, iova, NOTHING, 0, checkedLength(length), value);
  }

  /// Whether an access is of one page, so that one cached translation decides it.
  private static boolean isInPage(long iova, long length) {
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
    return moveList(Kind.READ, list, skip, into, offset, length, (byte) 0);
  }

  /// Writes `length` bytes of `from`, from `offset` on, to `list` from byte `skip` of it on.
  ///
  /// @return null if every byte moved
  public @Nullable TargetAbort write(
      ScatterGatherList list, long skip, MemorySegment from, long offset, long length) {
    Objects.checkFromIndexSize(offset, length, from.byteSize());
    return moveList(Kind.WRITE, list, skip, from, offset, length, (byte) 0);
  }

  /// Sets `length` bytes of `list`, from byte `skip` of it on, to `value`.
  ///
  /// @return null if every byte was set
  public @Nullable TargetAbort fill(ScatterGatherList list, long skip, long length, byte value) {
    return moveList(Kind.FILL, list, skip, NOTHING, 0, checkedLength(length), value);
  }

  private @Nullable TargetAbort moveList(
      Kind kind,
      ScatterGatherList list,
      long skip,
      MemorySegment other,
      long offset,
      long length,
      byte value) {
    Objects.checkFromIndexSize(skip, length, list.totalLength());
    long done = 0;
    long runStart = 0;
    for (int i = 0; i < list.size() && done < length; i++) {
      long runLength = list.length(i);
      long within = skip + done - runStart;
      if (within < runLength) {
        long part = Math.min(runLength - within, length - done);
        TargetAbort abort = move(kind, list.iova(i) + within, other, offset + done, part, value);
        if (abort != null) {
          return abort.after(done);
        }
        done += part;
      }
      runStart += runLength;
    }
    return null;
  }

  private static long checkedLength(long length) {
    if (length < 0) {
      throw new IllegalArgumentException("length must not be negative: " + length);
    }
    return length;
  }

  /// Cuts a transfer into sections, and at the end of the address space.
  private @Nullable TargetAbort move(
      Kind kind, long iova, MemorySegment other, long offset, long length, byte value) {
    long possible = untilTheEnd(iova, length);
    for (long done = 0; done < possible; ) {
      long part = Math.min(possible - done, SECTION_BYTES);
      TargetAbort abort;
      if (iommu == null) {
        abort = moveDirect(kind, iova + done, other, offset + done, part, value);
      } else {
        AccessSection section = endpoint.enter(iova + done, iova + done + (part - 1));
        try {
          abort =
              moveSection(
                  iommu, kind, iova + done, other, offset + done, part, value, part == length);
        } finally {
          section.leave();
        }
      }
      if (abort != null) {
        return abort.after(done);
      }
      done += part;
    }
    return possible == length
        ? null
        : abort(0, kind.access, AbortReason.ADDRESS_WRAP).after(possible);
  }

  /// How many of `length` bytes from `iova` on lie before 2^64.
  private static long untilTheEnd(long iova, long length) {
    long toTheEnd = -iova;
    return iova != 0 && Long.compareUnsigned(toTheEnd, length) < 0 ? toTheEnd : length;
  }

  /// Without an IOMMU. What keeps the bytes mapped meanwhile is the memory's own affair.
  private @Nullable TargetAbort moveDirect(
      Kind kind, long address, MemorySegment other, long offset, long length, byte value) {
    if (!mayRequest) {
      return abort(address, kind.access, AbortReason.BUS_MASTER_OFF);
    }
    return moveMemory(kind, address, address, other, offset, length, value);
  }

  /// Moves bytes by their guest-physical address.
  private @Nullable TargetAbort moveMemory(
      Kind kind,
      long iova,
      long address,
      MemorySegment other,
      long offset,
      long length,
      byte value) {
    long moved =
        switch (kind) {
          case READ -> memory.read(address, other, offset, length);
          case WRITE, WRITE_BACK -> memory.write(address, other, offset, length);
          case FILL -> memory.fill(address, length, value);
          case CHECK_READ, CHECK_WRITE, CHECK_BOTH, CLAIM_WRITE, CLAIM_BOTH ->
              memory.reach(address, length, kind.access);
        };
    if (moved == length) {
      return null;
    }
    AbortReason why = reason(memory.statusAt(address + moved, kind.access));
    return abort(iova + moved, kind.access, why).after(moved);
  }

  /// Within a section: page by page, from the cache as far as it goes.
  ///
  /// @param whole whether this section is the whole transfer
  private @Nullable TargetAbort moveSection(
      Iommu by,
      Kind kind,
      long iova,
      MemorySegment other,
      long offset,
      long length,
      byte value,
      boolean whole) {
    if (!mayRequest) {
      return abort(iova, kind.access, AbortReason.BUS_MASTER_OFF);
    }
    for (long done = 0; done < length; ) {
      long at = iova + done;
      long inRam = moveCached(kind, at, other, offset + done, length - done, value);
      if (inRam > 0) {
        done += inRam;
        continue;
      }
      switch (translation(by, at, kind.access)) {
        case Translation.Page page -> {
          long run = Math.min(length - done, page.last() - at + 1);
          TargetAbort abort =
              moveMemory(kind, at, page.translate(at), other, offset + done, run, value);
          if (abort != null) {
            return abort.after(done);
          }
          done += run;
        }
        case Translation.Fault fault -> {
          return refused(by, at, kind.access, fault, !kind.isCheck()).after(done);
        }
        case Translation.Interrupt _ -> {
          if (kind == Kind.WRITE && whole && isMessage(iova, length)) {
            by.interrupt(endpoint, iova, other.get(LITTLE_ENDIAN_INT, offset));
            return null;
          }
          return abort(at, kind.access, AbortReason.INTERRUPT_RANGE).after(done);
        }
      }
    }
    return null;
  }

  /// Moves as many bytes as cached translations lead to in one run of RAM.
  ///
  /// @return 0 when the first page is not cached, or its RAM is going
  private long moveCached(
      Kind kind, long iova, MemorySegment other, long offset, long length, byte value) {
    Iotlb space = endpoint.space();
    int rights = kind.access.rights();
    long at = space == null ? Iotlb.MISS : space.find(iova, rights);
    if (space == null || at == Iotlb.MISS) {
      return 0;
    }
    long run = GuestMemory.PAGE - (iova & (GuestMemory.PAGE - 1));
    while (run < length && space.find(iova + run, rights) == at + run) {
      run += GuestMemory.PAGE;
    }
    run = Math.min(run, length);
    boolean moved =
        switch (kind) {
          case READ -> ram.read(at, other, offset, run);
          case WRITE, WRITE_BACK -> ram.write(at, other, offset, run);
          case FILL -> ram.fill(at, run, value);
          case CHECK_READ, CHECK_WRITE, CHECK_BOTH, CLAIM_WRITE, CLAIM_BOTH -> true;
        };
    return moved ? run : 0;
  }

  private static final ValueLayout.OfInt LITTLE_ENDIAN_INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /// An interrupt message is the write of one aligned doubleword, and nothing else (PCI 3.0, 6.8).
  private static boolean isMessage(long iova, long length) {
    return length == Integer.BYTES && (iova & (Integer.BYTES - 1)) == 0;
  }

  // --- loads, stores, atomic operations

  /// Loads 1, 2, 4 or 8 bytes. Naturally aligned, it is a single access with acquire order.
  ///
  /// @return null if `into` has the value
  public @Nullable TargetAbort load(long iova, int bytes, ByteOrder order, Word into) {
    return isInPage(iova, bytes) && loadCached(iova, bytes, order, into)
        ? null
        : scalar(Scalar.LOAD, Access.READ, iova, bytes, order, 0, 0, into);
  }

  /// Stores the low 1, 2, 4 or 8 bytes of `value`. Naturally aligned, it is a single access with
  /// release order.
  ///
  /// @return null if it was stored
  public @Nullable TargetAbort store(long iova, int bytes, ByteOrder order, long value) {
    return isInPage(iova, bytes) && storeCached(iova, bytes, order, value)
        ? null
        : scalar(Scalar.STORE, Access.WRITE, iova, bytes, order, value, 0, UNUSED);
  }

  /// Replaces 4 or 8 naturally aligned bytes by `desired` if they are `expected`, atomically.
  ///
  /// @param witness receives what was there, replaced or not
  /// @return null if the comparison took place
  public @Nullable TargetAbort compareAndExchange(
      long iova, int bytes, ByteOrder order, long expected, long desired, Word witness) {
    return scalar(
        Scalar.COMPARE_AND_EXCHANGE,
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
    return scalar(Scalar.FETCH_AND_ADD, Access.READ_WRITE, iova, bytes, order, addend, 0, witness);
  }

  private enum Scalar {
    LOAD,
    STORE,
    COMPARE_AND_EXCHANGE,
    FETCH_AND_ADD
  }

  /// Given to stores, which load nothing.
  private static final Word UNUSED = new Word();

  private @Nullable TargetAbort scalar(
      Scalar kind,
      Access access,
      long iova,
      int bytes,
      ByteOrder order,
      long first,
      long second,
      Word word) {
    if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) {
      throw new IllegalArgumentException("a scalar has 1, 2, 4 or 8 bytes, not " + bytes);
    }
    if (Long.compareUnsigned(iova + (bytes - 1), iova) < 0) {
      return abort(iova, access, AbortReason.ADDRESS_WRAP);
    }
    if (iommu == null) {
      return mayRequest
          ? result(scalarMemory(kind, iova, bytes, order, first, second, word), iova, access)
          : abort(iova, access, AbortReason.BUS_MASTER_OFF);
    }
    if (access == Access.READ_WRITE
        && isInPage(iova, bytes)
        && atomicCached(kind, iova, bytes, order, first, second, word)) {
      return null;
    }
    AccessSection section = endpoint.enter(iova, iova + (bytes - 1));
    try {
      return mayRequest
          ? scalarSection(iommu, kind, access, iova, bytes, order, first, second, word)
          : abort(iova, access, AbortReason.BUS_MASTER_OFF);
    } finally {
      section.leave();
    }
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

  /// An atomic operation by a cached translation, in a section, like [#writeCached].
  private boolean atomicCached(
      Scalar kind, long iova, int bytes, ByteOrder order, long first, long second, Word witness) {
    Iotlb space = endpoint.space();
    if (space == null) {
      return false;
    }
    AccessSection section = endpoint.enter(space.tag(), iova, iova + (bytes - 1));
    try {
      long at = mayUse(endpoint, space) ? space.find(iova, READ | WRITE) : Iotlb.MISS;
      return at != Iotlb.MISS
          && (kind == Scalar.FETCH_AND_ADD
              ? ram.fetchAndAdd(at, bytes, order, first, witness)
              : ram.compareAndExchange(at, bytes, order, first, second, witness));
    } finally {
      section.leave();
    }
  }

  /// Within a section of this address space alone: whether it is still the one.
  private boolean mayUse(Endpoint by, Iotlb space) {
    return by.space() == space && mayRequest;
  }

  /// Within a section.
  private @Nullable TargetAbort scalarSection(
      Iommu by,
      Scalar kind,
      Access access,
      long iova,
      int bytes,
      ByteOrder order,
      long first,
      long second,
      Word word) {
    return switch (translation(by, iova, access)) {
      case Translation.Page page ->
          Long.compareUnsigned(page.last() - iova, bytes - 1) < 0
              ? acrossPages(by, kind, access, iova, bytes, order, first, word)
              : result(
                  scalarMemory(kind, page.translate(iova), bytes, order, first, second, word),
                  iova,
                  access);
      case Translation.Fault fault -> refused(by, iova, access, fault, true);
      case Translation.Interrupt _ -> {
        if (kind == Scalar.STORE && isMessage(iova, bytes)) {
          boolean little = order == ByteOrder.LITTLE_ENDIAN;
          by.interrupt(endpoint, iova, little ? (int) first : Integer.reverseBytes((int) first));
          yield null;
        }
        yield abort(iova, access, AbortReason.INTERRUPT_RANGE);
      }
    };
  }

  private MemoryStatus scalarMemory(
      Scalar kind, long address, int bytes, ByteOrder order, long first, long second, Word word) {
    return switch (kind) {
      case LOAD -> memory.load(address, bytes, order, word);
      case STORE -> memory.store(address, bytes, order, first);
      case COMPARE_AND_EXCHANGE ->
          memory.compareAndExchange(address, bytes, order, first, second, word);
      case FETCH_AND_ADD -> memory.fetchAndAdd(address, bytes, order, first, word);
    };
  }

  private @Nullable TargetAbort result(MemoryStatus status, long iova, Access access) {
    return status == MemoryStatus.OK ? null : abort(iova, access, reason(status));
  }

  /// A load or store whose bytes lie in two pages, which need not be neighbours in memory. Within a
  /// section.
  private @Nullable TargetAbort acrossPages(
      Iommu by,
      Scalar kind,
      Access access,
      long iova,
      int bytes,
      ByteOrder order,
      long value,
      Word word) {
    if (kind == Scalar.COMPARE_AND_EXCHANGE || kind == Scalar.FETCH_AND_ADD) {
      return abort(iova, access, AbortReason.MISALIGNED);
    }
    byte[] buffer = new byte[bytes];
    MemorySegment segment = MemorySegment.ofArray(buffer);
    if (kind == Scalar.LOAD) {
      TargetAbort abort = moveSection(by, Kind.READ, iova, segment, 0, bytes, (byte) 0, true);
      if (abort == null) {
        long loaded = 0;
        for (int i = 0; i < bytes; i++) {
          int place = order == ByteOrder.BIG_ENDIAN ? i : bytes - 1 - i;
          loaded = (loaded << 8) | (buffer[place] & 0xFF);
        }
        word.set(loaded);
      }
      return abort;
    }
    for (int i = 0; i < bytes; i++) {
      int place = order == ByteOrder.BIG_ENDIAN ? bytes - 1 - i : i;
      buffer[place] = (byte) (value >>> (8 * i));
    }
    return moveSection(by, Kind.WRITE, iova, segment, 0, bytes, (byte) 0, true);
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
        endpoint.enter(iova, iova + (Math.min(untilTheEnd(iova, length), MAX_MAPPING) - 1));
    try {
      // Before any lookup: see Invalidator.
      long count = endpoint.count();
      return mayRequest
          ? mapSection(iova, length, access, count, section, into)
          : abort(iova, access, AbortReason.BUS_MASTER_OFF);
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
    long possible = untilTheEnd(iova, length);
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
        Translation translation = translation(iommu, at, access);
        if (!(translation instanceof Translation.Page page)) {
          if (found > 0) {
            stop = Mapping.Stop.REFUSED;
            break;
          }
          return translation instanceof Translation.Fault fault
              ? refused(iommu, at, access, fault, true)
              : abort(at, access, AbortReason.INTERRUPT_RANGE);
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
      return abort(iova, access, reason(memory.holdStatusAt(address, access)));
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
    Kind kind = access.reads() ? Kind.CLAIM_BOTH : Kind.CLAIM_WRITE;
    return move(kind, iova, NOTHING, 0, length, (byte) 0);
  }

  @Nullable TargetAbort writeBack(long iova, MemorySegment from, long offset, long length) {
    return move(Kind.WRITE_BACK, iova, from, offset, length, (byte) 0);
  }

  TargetAbort noBusMaster(long iova, Access access) {
    return abort(iova, access, AbortReason.BUS_MASTER_OFF);
  }

  // --- what all of them share

  /// Within a section: the page of an address from the cache or the model, or why there is none.
  private Translation translation(Iommu asked, long iova, Access access) {
    Iotlb space = endpoint.space();
    Translation.Page cached = space == null ? null : space.lookup(iova);
    if (cached != null && cached.allows(access)) {
      return cached;
    }
    endpoint.countMiss();
    return asked.translate(endpoint, iova, access);
  }

  private TargetAbort refused(
      Iommu by, long iova, Access access, Translation.Fault fault, boolean report) {
    if (report) {
      by.report(endpoint, iova, access, fault);
    }
    return new TargetAbort(
        requester(), endpoint.pasid(), iova, access, fault.reason(), fault.code(), 0);
  }

  private TargetAbort abort(long iova, Access access, AbortReason reason) {
    return new TargetAbort(
        requester(), endpoint.pasid(), iova, access, reason, TargetAbort.NO_CODE, 0);
  }

  private static AbortReason reason(MemoryStatus status) {
    return switch (status) {
      case HOLE -> AbortReason.NO_MEMORY;
      case READ_ONLY -> AbortReason.READ_ONLY_MEMORY;
      case WOULD_BLOCK -> AbortReason.WOULD_BLOCK;
      case MISALIGNED -> AbortReason.MISALIGNED;
      // OK: the region was replaced between the refusal and the question.
      case FAILED, OK -> AbortReason.MEMORY_FAILED;
    };
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
