package dev.sluice.dma;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Revocation;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.RamRegion;
import dev.sluice.memory.RegionHold;
import dev.sluice.memory.RemovalListener;
import dev.sluice.memory.Word;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;
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

  private enum Kind {
    READ(Access.READ),
    WRITE(Access.WRITE),
    FILL(Access.WRITE),
    CHECK_READ(Access.READ),
    CHECK_WRITE(Access.WRITE),
    CHECK_BOTH(Access.READ_WRITE);

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
  private final RemovalListener removals = this::removing;
  private volatile boolean busMaster = true;
  private volatile boolean closed;

  private DmaContext(GuestMemory memory, Endpoint endpoint, @Nullable Iommu iommu) {
    this.memory = memory;
    this.endpoint = endpoint;
    this.iommu = iommu;
    memory.addRemovalListener(removals);
  }

  /// A context without an IOMMU: I/O virtual addresses are guest-physical.
  public static DmaContext direct(GuestMemory memory, RequesterId requester) {
    return new DmaContext(memory, Endpoint.standalone(requester), null);
  }

  /// A context whose every access `iommu` translates.
  ///
  /// @param memory the guest-physical memory that translated addresses lead to
  public static DmaContext behind(Iommu iommu, GuestMemory memory, RequesterId requester) {
    return new DmaContext(memory, iommu.invalidator().attach(requester), iommu);
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
  public void busMaster(boolean on) {
    busMaster = on;
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
  /// @param into native memory is fastest
  /// @param length bytes, 0 or more
  /// @return null if every byte moved
  public @Nullable TargetAbort read(long iova, MemorySegment into, long offset, long length) {
    Objects.checkFromIndexSize(offset, length, into.byteSize());
    return move(Kind.READ, iova, into, offset, length, (byte) 0);
  }

  /// Writes `from`, from `offset` on, to guest memory.
  ///
  /// @param length bytes, 0 or more
  /// @return null if every byte moved
  public @Nullable TargetAbort write(long iova, MemorySegment from, long offset, long length) {
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
      int section = endpoint.enter();
      try {
        abort =
            mayRequest()
                ? moveSection(kind, iova + done, other, offset + done, part, value, part == length)
                : abort(iova + done, kind.access, AbortReason.BUS_MASTER_OFF);
      } finally {
        endpoint.leave(section);
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

  /// To be asked within a section, so that whoever takes the right away and then awaits the
  /// sections knows that no access is left.
  private boolean mayRequest() {
    return busMaster && !closed;
  }

  /// How many of `length` bytes from `iova` on lie before 2^64.
  private static long untilTheEnd(long iova, long length) {
    long toTheEnd = -iova;
    return iova != 0 && Long.compareUnsigned(toTheEnd, length) < 0 ? toTheEnd : length;
  }

  /// @param whole whether this section is the whole transfer
  private @Nullable TargetAbort moveSection(
      Kind kind,
      long iova,
      MemorySegment other,
      long offset,
      long length,
      byte value,
      boolean whole) {
    long done = 0;
    while (done < length) {
      long at = iova + done;
      long address = at;
      long run = length - done;
      if (iommu != null) {
        Translation translation = translation(iommu, at, kind.access);
        switch (translation) {
          case Translation.Page page -> {
            address = page.translate(at);
            run = Math.min(run, page.last() - at + 1);
          }
          case Translation.Fault fault -> {
            return refused(iommu, at, kind.access, fault, !kind.isCheck()).after(done);
          }
          case Translation.Interrupt _ -> {
            if (kind == Kind.WRITE && whole && isMessage(iova, length)) {
              iommu.interrupt(endpoint, iova, other.get(LITTLE_ENDIAN_INT, offset));
              return null;
            }
            return abort(at, kind.access, AbortReason.INTERRUPT_RANGE).after(done);
          }
        }
      }
      long moved =
          switch (kind) {
            case READ -> memory.read(address, other, offset + done, run);
            case WRITE -> memory.write(address, other, offset + done, run);
            case FILL -> memory.fill(address, run, value);
            case CHECK_READ, CHECK_WRITE, CHECK_BOTH -> memory.reach(address, run, kind.access);
          };
      done += moved;
      if (moved < run) {
        AbortReason why = reason(memory.statusAt(address + moved, kind.access));
        return abort(at + moved, kind.access, why).after(done);
      }
    }
    return null;
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
    return scalar(Scalar.LOAD, Access.READ, iova, bytes, order, 0, 0, into);
  }

  /// Stores the low 1, 2, 4 or 8 bytes of `value`. Naturally aligned, it is a single access with
  /// release order.
  ///
  /// @return null if it was stored
  public @Nullable TargetAbort store(long iova, int bytes, ByteOrder order, long value) {
    return scalar(Scalar.STORE, Access.WRITE, iova, bytes, order, value, 0, UNUSED);
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
    int section = endpoint.enter();
    try {
      if (!mayRequest()) {
        return abort(iova, access, AbortReason.BUS_MASTER_OFF);
      }
      long address = iova;
      if (iommu != null) {
        switch (translation(iommu, iova, access)) {
          case Translation.Page page -> {
            address = page.translate(iova);
            if (Long.compareUnsigned(page.last() - iova, bytes - 1) < 0) {
              return acrossPages(kind, access, iova, bytes, order, first, word);
            }
          }
          case Translation.Fault fault -> {
            return refused(iommu, iova, access, fault, true);
          }
          case Translation.Interrupt _ -> {
            if (kind == Scalar.STORE && isMessage(iova, bytes)) {
              boolean little = order == ByteOrder.LITTLE_ENDIAN;
              iommu.interrupt(
                  endpoint, iova, little ? (int) first : Integer.reverseBytes((int) first));
              return null;
            }
            return abort(iova, access, AbortReason.INTERRUPT_RANGE);
          }
        }
      }
      MemoryStatus status =
          switch (kind) {
            case LOAD -> memory.load(address, bytes, order, word);
            case STORE -> memory.store(address, bytes, order, first);
            case COMPARE_AND_EXCHANGE ->
                memory.compareAndExchange(address, bytes, order, first, second, word);
            case FETCH_AND_ADD -> memory.fetchAndAdd(address, bytes, order, first, word);
          };
      return status == MemoryStatus.OK ? null : abort(iova, access, reason(status));
    } finally {
      endpoint.leave(section);
    }
  }

  /// A load or store whose bytes lie in two pages, which need not be neighbours in memory. Within a
  /// section.
  private @Nullable TargetAbort acrossPages(
      Scalar kind, Access access, long iova, int bytes, ByteOrder order, long value, Word word) {
    if (kind == Scalar.COMPARE_AND_EXCHANGE || kind == Scalar.FETCH_AND_ADD) {
      return abort(iova, access, AbortReason.MISALIGNED);
    }
    byte[] buffer = new byte[bytes];
    MemorySegment segment = MemorySegment.ofArray(buffer);
    if (kind == Scalar.LOAD) {
      TargetAbort abort = moveSection(Kind.READ, iova, segment, 0, bytes, (byte) 0, true);
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
    return moveSection(Kind.WRITE, iova, segment, 0, bytes, (byte) 0, true);
  }

  // --- mappings

  /// Maps guest memory from `iova` on: as much of `length` as is contiguous in one region, at least
  /// one byte.
  ///
  /// @param length bytes, 1 or more
  /// @return a [Mapping], perhaps shorter than asked for, or a [TargetAbort] about its first byte
  public MapResult map(long iova, long length, Access access) {
    if (length <= 0) {
      throw new IllegalArgumentException("a mapping has 1 byte or more, not " + length);
    }
    int section = endpoint.enter();
    try {
      if (!mayRequest()) {
        return abort(iova, access, AbortReason.BUS_MASTER_OFF);
      }
      // Before any lookup: see Invalidator.
      long generation = endpoint.generation();
      return mapSection(iova, length, access, generation);
    } finally {
      endpoint.leave(section);
    }
  }

  private MapResult mapSection(long iova, long length, Access access, long generation) {
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
    return Mapping.of(endpoint, iova, access, stop, held, tag, generation);
  }

  // --- what all of them share

  /// Within a section: the page of an address from the cache or the model, or why there is none.
  private Translation translation(Iommu asked, long iova, Access access) {
    Translation.Page cached = endpoint.lookup(iova, access);
    return cached != null ? cached : asked.translate(endpoint, iova, access);
  }

  private TargetAbort refused(
      Iommu by, long iova, Access access, Translation.Fault fault, boolean report) {
    if (report) {
      by.report(endpoint, iova, access, fault);
    }
    return new TargetAbort(requester(), iova, access, fault.reason(), fault.code(), 0);
  }

  private TargetAbort abort(long iova, Access access, AbortReason reason) {
    return new TargetAbort(requester(), iova, access, reason, TargetAbort.NO_CODE, 0);
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

  private void removing(RamRegion region) {
    endpoint.expireHoldsOn(region);
  }

  /// Ends the context: later accesses are refused as if bus mastering were off, mappings are taken
  /// away, and the IOMMU forgets the requester when its accesses have ended.
  @Override
  public void close() {
    closed = true;
    memory.removeRemovalListener(removals);
    if (iommu == null) {
      endpoint.shutDown(() -> {});
    } else {
      iommu.invalidator().detach(endpoint);
    }
  }
}
