package dev.sluice.models.vtd;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Invalidator;
import dev.sluice.iommu.Iotlb;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Translation;
import dev.sluice.iommu.Translation.Page;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.Ram;
import dev.sluice.memory.Word;
import dev.sluice.models.walk.RadixWalk;
import dev.sluice.models.walk.RadixWalker;
import dev.sluice.models.walk.TableMemory;
import org.jspecify.annotations.Nullable;

/// What becomes of an untranslated request that the IOTLB did not answer, VT-d specification 3.4
/// (requester to domain), 3.7 (second-stage translation) and 3.14 (interrupt address range).
///
/// Runs on the device's thread and blocks on nothing. Every ticket is taken before the first table
/// it stands for is read; or, where that is known only when the context entry has been read, after
/// it, and counts if no invalidation has begun since. So nothing read before an invalidation is
/// cached or bound after it, also when the guest has its context-cache and its IOTLB invalidated
/// without waiting in between: the second may begin before the first is complete here, and has the
/// effect that 6.5.2.11 demands all the same.
final class DmaTranslation {
  /// The address space of requests while translation is disabled: no domain id, which has 16 bits.
  static final long IDENTITY_TAG = 1L << 16;

  /// What stands for a fault reason when legacy mode has none: an access to the interrupt range
  /// that is no message.
  static final int NO_FAULT_REASON = -1;

  private static final int LARGE_PAGE_SHIFT = 21;
  private static final long IN_LARGE_PAGE = (1L << LARGE_PAGE_SHIFT) - 1;

  /// What the guest has told the unit about its tables.
  ///
  /// @param enabled GSTS.TES: whether requests are translated
  /// @param rootTable guest-physical address, as of the last GCMD.SRTP
  record Root(boolean enabled, long rootTable) {
    static final Root AFTER_RESET = new Root(false, 0);
  }

  private final long addressMask;
  private final TableMemory tables;
  private final SecondStageEntry entries;
  private final RadixWalker walker;
  private final Invalidator invalidator;
  private final ContextCache contexts;
  private final PdeCaches directories;
  private final AbsentPages absent;
  private final boolean cachingMode;
  private final VtdCounters counters;
  private volatile Root root = Root.AFTER_RESET;

  DmaTranslation(
      VtdConfig config,
      GuestMemory memory,
      Invalidator invalidator,
      ContextCache contexts,
      PdeCaches directories,
      AbsentPages absent,
      VtdCounters counters) {
    this.addressMask = config.addressMask();
    this.tables = new TableMemory(memory);
    this.entries = new SecondStageEntry(addressMask);
    this.walker = new RadixWalker(tables, entries);
    this.invalidator = invalidator;
    this.contexts = contexts;
    this.directories = directories;
    this.absent = absent;
    this.cachingMode = config.cachingMode();
    this.counters = counters;
  }

  Root root() {
    return root;
  }

  /// Has later requests go by another root. Those under way are the caller's to drain.
  void root(Root next) {
    root = next;
  }

  /// As [#translate], for a requester that is bound to a domain and whose page is one of 4 KiB in
  /// RAM; leaves everything else to that.
  ///
  /// @param space what the requester is bound to; as long as it is, its context entry is cached and
  ///   translation enabled
  /// @return [Iotlb#walked] or [Iotlb#MISS]
  long walk(Endpoint endpoint, Iotlb space, long iova, Access access) {
    if (cachingMode && !absent.isEmpty()) {
      return Iotlb.MISS;
    }
    PdeCache cache = directories.find(space.tag());
    long table = cache == null ? PdeCache.NONE : cache.find(iova, access.rights());
    if (table == PdeCache.NONE) {
      return walkFromRoot(endpoint, space, iova, access);
    }
    long entry = walker.entryInLastTable(table, iova);
    int rights = RadixWalk.rights(table) & entries.rights(entry);
    return entries.mapsPage(entry) && (access.rights() & ~rights) == 0
        ? walked(endpoint, entries.address(entry), rights)
        : Iotlb.MISS;
  }

  private long walkFromRoot(Endpoint endpoint, Iotlb space, long iova, Access access) {
    long since = endpoint.count();
    ContextCache.Cached context = contexts.lookup(endpoint.requester().value());
    SecondStage stage = context == null ? null : context.secondStage();
    if (stage == null
        || stage.domainId() != space.tag()
        || iova >>> stage.width() != 0
        || InterruptRange.contains(iova)
        || !root.enabled()) {
      return Iotlb.MISS;
    }
    long walk = walk(directories.find(stage.domainId()), endpoint, since, stage, iova, access);
    return RadixWalk.isPage(walk, SecondStageEntry.PAGE_SHIFT)
        ? walked(endpoint, RadixWalk.address(walk), RadixWalk.rights(walk))
        : Iotlb.MISS;
  }

  /// The answer to a walk that ended at a page of 4 KiB.
  private long walked(Endpoint endpoint, long address, int rights) {
    if (InterruptRange.contains(address)) {
      return Iotlb.MISS;
    }
    boolean writable = (rights & Access.WRITE.rights()) != 0;
    long ram = tables.ramAddress(endpoint.memory(), address, writable);
    if (ram == Ram.NOWHERE || (ram & (GuestMemory.PAGE - 1)) != 0) {
      return Iotlb.MISS;
    }
    counters.walked();
    return Iotlb.walked(ram, rights);
  }

  /// The walk of an address of at most 48 bits, from the table that the cache of the domain knows
  /// or else from the top, 6.2.6.
  ///
  /// @param cache null if the domain has none
  /// @param since [Endpoint#count] before the context entry was looked up
  /// @return a [RadixWalk] that ended
  private long walk(
      @Nullable PdeCache cache,
      Endpoint endpoint,
      long since,
      SecondStage stage,
      long iova,
      Access access) {
    if (cache == null) {
      return walker.walk(stage.table(), stage.levels(), iova, access);
    }
    long known = cache.find(iova, access.rights());
    if (known != PdeCache.NONE) {
      return walker.inLastTable(known, iova, access);
    }
    long ticket = cache.ticket(iova);
    // No invalidation since the context entry, so the ticket is as good as one from before it.
    boolean current = endpoint.isUndisturbed(since);
    long walk = walker.toLastTable(stage.table(), stage.levels(), iova, access);
    if (!RadixWalk.isLastTable(walk)) {
      return walk;
    }
    long end = walker.inLastTable(walk, iova, access);
    if (current && RadixWalk.isPage(end) && !isNearInterrupts(iova)) {
      cache.insert(iova, walk, ticket);
    }
    return end;
  }

  Translation translate(Endpoint endpoint, long iova, Access access) {
    // 3.14: whatever the tables say. Only a write can be an interrupt message.
    if (InterruptRange.contains(iova)) {
      return access == Access.WRITE
          ? new Translation.Interrupt()
          : new Translation.Fault(AbortReason.INTERRUPT_RANGE, NO_FAULT_REASON, false);
    }
    Since since = new Since(endpoint.count(), endpoint.bindTicket());
    Root now = root;
    if (!now.enabled()) {
      return identity(endpoint, since, IDENTITY_TAG, iova);
    }
    return switch (context(endpoint, now)) {
      case Resolved.Found(ContextEntry context, boolean cached) ->
          translate(endpoint, cached ? since : since.unbound(), context, iova, access);
      case Resolved.Refused(Translation.Fault fault) -> fault;
    };
  }

  /// When a translation began, before it read anything.
  ///
  /// @param count [Endpoint#count]
  /// @param bindTicket [Endpoint#bindTicket]
  private record Since(long count, long bindTicket) {
    /// No ticket has this value: tickets count up from 0.
    private static final long NOT_TO_BE_BOUND = -1;

    /// The same, for a requester that is not to be bound.
    Since unbound() {
      return new Since(count, NOT_TO_BE_BOUND);
    }
  }

  private sealed interface Resolved {
    /// @param cached whether it is in the context-cache now, where invalidations find it
    record Found(ContextEntry context, boolean cached) implements Resolved {}

    record Refused(Translation.Fault fault) implements Resolved {}
  }

  /// The requester's context entry, 3.4.2.
  private Resolved context(Endpoint endpoint, Root now) {
    RequesterId requester = endpoint.requester();
    long ticket = contexts.ticket();
    ContextCache.Cached cached = contexts.lookup(requester.value());
    if (cached != null) {
      FaultCode defect = defect(cached.entry());
      return defect == null
          ? new Resolved.Found(cached.entry(), true)
          : new Resolved.Refused(defect.fault(cached.entry()));
    }
    Word low = new Word();
    Word high = new Word();
    if (!load(RootEntry.address(now.rootTable(), requester.bus()), low, high)) {
      return new Resolved.Refused(FaultCode.ROOT_UNREADABLE.fault());
    }
    RootEntry rootEntry = new RootEntry(low.asLong(), high.asLong());
    if (!rootEntry.isPresent()) {
      return new Resolved.Refused(FaultCode.ROOT_NOT_PRESENT.fault());
    }
    if (rootEntry.isMalformed(addressMask)) {
      return new Resolved.Refused(FaultCode.ROOT_MALFORMED.fault());
    }
    int function = requester.value() & 0xFF;
    if (!load(ContextEntry.address(rootEntry.contextTable(), function), low, high)) {
      return new Resolved.Refused(FaultCode.CONTEXT_UNREADABLE.fault());
    }
    ContextEntry entry = new ContextEntry(low.asLong(), high.asLong());
    FaultCode defect = defect(entry);
    if (defect == null) {
      var kept = new ContextCache.Cached(entry, entry.domainId(), SecondStage.of(entry));
      return new Resolved.Found(entry, contexts.insert(requester.value(), kept, ticket));
    }
    if (cachingMode) {
      var kept = new ContextCache.Cached(entry, ContextCache.NO_DOMAIN, null);
      contexts.insert(requester.value(), kept, ticket);
    }
    return new Resolved.Refused(defect.fault(entry));
  }

  /// Why a context entry translates nothing, or null.
  private @Nullable FaultCode defect(ContextEntry entry) {
    if (!entry.isPresent()) {
      return FaultCode.CONTEXT_NOT_PRESENT;
    }
    if (entry.isMalformed(addressMask)) {
      return FaultCode.CONTEXT_MALFORMED;
    }
    return entry.isSupported() ? null : FaultCode.CONTEXT_INVALID;
  }

  private Translation translate(
      Endpoint endpoint, Since since, ContextEntry context, long iova, Access access) {
    if (iova >>> SecondStage.width(context) != 0) {
      return FaultCode.ADDRESS_BEYOND_WIDTH.fault(context);
    }
    SecondStage stage = SecondStage.of(context);
    if (stage == null) {
      return identity(endpoint, since, context.domainId(), iova);
    }
    Iotlb space = invalidator.space(stage.domainId(), endpoint);
    Page kept = endpoint.space() == space ? null : space.lookup(iova);
    if (kept != null && kept.allows(access)) {
      // Only the binding was gone: a context-cache invalidation leaves the IOTLB as it is.
      endpoint.bind(space, since.bindTicket());
      return kept;
    }
    if (cachingMode && absent.contains(stage.domainId(), iova)) {
      return absent(context, access);
    }
    long ticket = space.ticket(iova);
    long absentTicket = absent.ticket();
    boolean current = endpoint.isUndisturbed(since.count());
    counters.walked();
    long walk =
        walk(directories.of(stage.domainId()), endpoint, since.count(), stage, iova, access);
    if (!RadixWalk.isPage(walk)) {
      if (cachingMode && current && RadixWalk.cause(walk) == RadixWalk.Cause.ABSENT) {
        absent.insert(stage.domainId(), iova, absentTicket);
      }
      return fault(context, walk, access);
    }
    Page found = page(walk, context, iova);
    if (InterruptRange.contains(found.translate(iova))) {
      return FaultCode.INTERRUPT_RANGE_RESULT.fault(context);
    }
    if (current) {
      space.insert(found, iova, ticket);
    }
    endpoint.bind(space, since.bindTicket());
    return found;
  }

  /// The page of a leaf entry. Of a large one that leads into the interrupt range only the 4 KiB
  /// asked for, so that the addresses that lead there stay refused; and of one that has the range
  /// among its own addresses, so that a request to those is not answered by the IOTLB.
  private static Page page(long walk, ContextEntry context, long iova) {
    long address = RadixWalk.address(walk);
    int leaf = RadixWalk.shift(walk);
    boolean isPart =
        InterruptRange.touches(address, leaf) || InterruptRange.touches(iova & -(1L << leaf), leaf);
    int shift = isPart ? SecondStageEntry.PAGE_SHIFT : leaf;
    long within = iova & ((1L << leaf) - 1);
    int rights = RadixWalk.rights(walk);
    return new Page(
        iova & -(1L << shift),
        address + (within & -(1L << shift)),
        shift,
        (rights & Access.READ.rights()) != 0,
        (rights & Access.WRITE.rights()) != 0,
        context.domainId());
  }

  private static Translation.Fault fault(ContextEntry context, long walk, Access access) {
    return switch (RadixWalk.cause(walk)) {
      case UNREADABLE ->
          RadixWalk.level(walk) == context.levels()
              ? FaultCode.CONTEXT_INVALID.fault(context)
              : FaultCode.TABLE_UNREADABLE.fault(context);
      case ABSENT -> absent(context, access);
      case MALFORMED -> FaultCode.ENTRY_MALFORMED.fault(context);
      case NO_READ -> FaultCode.NO_READ.fault(context);
      case NO_WRITE -> FaultCode.NO_WRITE.fault(context);
    };
  }

  /// An entry with R and W clear: the access lacks the permission that it needs, a read before a
  /// write.
  private static Translation.Fault absent(ContextEntry context, Access access) {
    FaultCode code = access.reads() ? FaultCode.NO_READ : FaultCode.NO_WRITE;
    return code.fault(context, AbortReason.NOT_MAPPED);
  }

  /// Translation disabled, or pass-through (3.9): the address is the guest-physical one.
  private Page identity(Endpoint endpoint, Since since, long tag, long iova) {
    Iotlb space = invalidator.space(tag, endpoint);
    long ticket = space.ticket(iova);
    boolean current = endpoint.isUndisturbed(since.count());
    int shift = isNearInterrupts(iova) ? SecondStageEntry.PAGE_SHIFT : LARGE_PAGE_SHIFT;
    long base = iova & -(1L << shift);
    Page page = new Page(base, base, shift, true, true, tag);
    if (current) {
      space.insert(page, iova, ticket);
    }
    endpoint.bind(space, since.bindTicket());
    return page;
  }

  /// Whether the 2 MiB that hold an address have a part of the interrupt range in them.
  private static boolean isNearInterrupts(long iova) {
    return InterruptRange.touches(iova & ~IN_LARGE_PAGE, LARGE_PAGE_SHIFT);
  }

  /// Loads a 128-bit entry. P stands in the low half, which is loaded first.
  private boolean load(long address, Word low, Word high) {
    return tables.load(address, low) && tables.load(address + Long.BYTES, high);
  }
}
