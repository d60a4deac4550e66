package dev.sluice.models.dart.u3;

import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Invalidator;
import dev.sluice.iommu.Iotlb;
import dev.sluice.iommu.Translation;
import dev.sluice.iommu.Translation.Page;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.Ram;
import dev.sluice.memory.RamWindow;
import dev.sluice.memory.Word;
import dev.sluice.models.walk.TableMemory;
import java.nio.ByteOrder;

/// What becomes of a request that the IOTLB did not answer.
///
/// Runs on the device's thread, takes no lock and blocks on nothing. Every ticket is taken before
/// what it stands for is read, so that nothing read before an invalidation is cached or bound after
/// it.
final class DmaTranslation {
  /// Addresses that go past the DART of a U4, for devices on its PCI Express: bit 39 is set, the
  /// rest is the guest-physical address (Linux's `DART_U4_BYPASS_BASE`).
  static final long BYPASS_BASE = 0x80_0000_0000L;

  /// The address space of the table.
  static final long TABLE_TAG = 0;

  /// The address space of requests while the DART is disabled.
  static final long IDENTITY_TAG = 1;

  /// The address space from [#BYPASS_BASE] on.
  static final long BYPASS_TAG = 2;

  private static final int LARGE_PAGE_SHIFT = 21;

  /// What the guest has told the DART about its table.
  ///
  /// @param enabled whether addresses go through it
  /// @param base guest-physical address
  /// @param entries how many there are, each for a page
  record Root(boolean enabled, long base, long entries) {
    static final Root AFTER_RESET = new Root(false, 0, 0);
  }

  private final U3DartConfig config;
  private final GuestMemory memory;
  private final TableMemory tables;
  private final Invalidator invalidator;
  private final U3DartCounters counters;
  private volatile Root root = Root.AFTER_RESET;

  DmaTranslation(
      U3DartConfig config, GuestMemory memory, Invalidator invalidator, U3DartCounters counters) {
    this.config = config;
    this.memory = memory;
    tables = new TableMemory(memory);
    this.invalidator = invalidator;
    this.counters = counters;
  }

  Root root() {
    return root;
  }

  /// Has later requests go by another root. Those under way are the caller's to drain.
  void root(Root next) {
    root = next;
  }

  /// As [#translate], for a requester that is bound to the table and whose page is in RAM; leaves
  /// everything else to that.
  ///
  /// @return [Iotlb#walked] or [Iotlb#MISS]
  long walk(Endpoint endpoint, Iotlb space, long iova) {
    Root now = root;
    long logicalPage = iova >>> DartEntry.PAGE_SHIFT;
    if (space.tag() != TABLE_TAG
        || !now.enabled()
        || logicalPage >= now.entries()
        || mayBypass(endpoint, iova)) {
      return Iotlb.MISS;
    }
    long at = now.base() + logicalPage * DartEntry.BYTES;
    long two = tables.entry(at & -Long.BYTES);
    int entry = DartEntry.of(two, at);
    if (two == RamWindow.ALL_ONES || !DartEntry.isValid(entry)) {
      return Iotlb.MISS;
    }
    long ram = tables.ramAddress(endpoint.memory(), DartEntry.address(entry), true);
    if (ram == Ram.NOWHERE || (ram & (GuestMemory.PAGE - 1)) != 0) {
      return Iotlb.MISS;
    }
    counters.walked();
    return Iotlb.walked(ram, Access.READ_WRITE.rights());
  }

  Translation translate(Endpoint endpoint, long iova) {
    long bindTicket = endpoint.bindTicket();
    if (mayBypass(endpoint, iova)) {
      return untranslated(endpoint, bindTicket, BYPASS_TAG, iova, BYPASS_BASE);
    }
    Root now = root;
    if (!now.enabled()) {
      return untranslated(endpoint, bindTicket, IDENTITY_TAG, iova, 0);
    }
    long logicalPage = iova >>> DartEntry.PAGE_SHIFT;
    if (logicalPage >= now.entries()) {
      return ExceptionCode.OUT_OF_BOUNDS.fault();
    }
    Iotlb space = invalidator.space(TABLE_TAG, endpoint);
    Page kept = endpoint.space() == space ? null : space.lookup(iova);
    if (kept != null) {
      // The requester was bound elsewhere: what the TLB holds still counts.
      endpoint.bind(space, bindTicket);
      return kept;
    }
    long ticket = space.ticket(iova);
    counters.walked();
    Word entry = new Word();
    if (!load(now.base() + logicalPage * DartEntry.BYTES, entry)) {
      return ExceptionCode.ADDRESSING.fault();
    }
    if (!DartEntry.isValid(entry.asInt())) {
      return ExceptionCode.ENTRY.fault();
    }
    Page page =
        new Page(
            logicalPage << DartEntry.PAGE_SHIFT,
            DartEntry.address(entry.asInt()),
            DartEntry.PAGE_SHIFT,
            true,
            true,
            TABLE_TAG);
    space.insert(page, iova, ticket);
    endpoint.bind(space, bindTicket);
    return page;
  }

  /// A walk runs inside a device's access section and must not block, so a table that is reached by
  /// messages only counts as absent.
  private boolean load(long address, Word into) {
    return memory.holdStatusAt(address, Access.READ) == MemoryStatus.OK
        && memory.load(address, DartEntry.BYTES, ByteOrder.BIG_ENDIAN, into) == MemoryStatus.OK;
  }

  private boolean mayBypass(Endpoint endpoint, long iova) {
    return config.bridge() == Bridge.U4
        && (iova & -BYPASS_BASE) == BYPASS_BASE
        && config.onPciExpress().test(endpoint.requester());
  }

  private Page untranslated(
      Endpoint endpoint, long bindTicket, long tag, long iova, long iovaOfZero) {
    Iotlb space = invalidator.space(tag, endpoint);
    long ticket = space.ticket(iova);
    long first = iova & -(1L << LARGE_PAGE_SHIFT);
    Page page = new Page(first, first - iovaOfZero, LARGE_PAGE_SHIFT, true, true, tag);
    space.insert(page, iova, ticket);
    endpoint.bind(space, bindTicket);
    return page;
  }
}
