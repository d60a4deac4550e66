package dev.sluice.models.spapr;

import dev.sluice.iommu.Invalidator;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;

/// The hypercalls on TCEs, LoPAR "Translation Control Entry Access", each in the order of its
/// "Semantics". All checks come before the first change, so that a call that returns an error has
/// changed nothing.
///
/// Runs on the processor's thread. A change takes no lock unless the table needs another page; then
/// it waits for calls that are adding pages to the same table, and for one page that is being given
/// back. LoPAR, "TCE Definition": a platform that caches TCEs completes what is under way through
/// an entry, and drops it from its caches, when software changes the entry. That is why a change of
/// an entry that has been used is not complete before its drain.
final class TceHypercalls {
  private final GuestMemory memory;
  private final Invalidator invalidator;
  private final HaltedCalls halted;
  private final SpaprCounters counters;

  /// Unsigned.
  private final long stuffLimit;

  private final TceList.Spare spare = new TceList.Spare();
  private volatile Liobns liobns = Liobns.NONE;

  TceHypercalls(
      SpaprConfig config,
      GuestMemory memory,
      Invalidator invalidator,
      HaltedCalls halted,
      SpaprCounters counters) {
    this.memory = memory;
    this.invalidator = invalidator;
    this.halted = halted;
    this.counters = counters;
    stuffLimit = config.stuffLimit() ? TceList.MAX_ENTRIES : -1;
  }

  Liobns liobns() {
    return liobns;
  }

  void liobns(Liobns next) {
    liobns = next;
  }

  /// H_GET_TCE.
  ///
  /// @param registers from R4 on; R4 gets the entry
  long get(long[] registers) {
    long ioba = registers[1];
    DmaWindow window = liobns.find(registers[0]);
    if (window == null || !window.contains(ioba) || !window.isAligned(ioba)) {
      return ReturnCode.H_PARAMETER;
    }
    long tce = window.table().get(window.index(ioba));
    if (Tce.isMapped(tce) && !isOwned(tce, window.pageShift())) {
      registers[0] = tce | Tce.NOT_OWNED;
      return ReturnCode.H_PARTIAL;
    }
    registers[0] = tce;
    return ReturnCode.H_SUCCESS;
  }

  /// H_PUT_TCE.
  long put(VirtualCpu cpu, long liobn, long ioba, long tce) {
    DmaWindow window = liobns.find(liobn);
    if (window == null
        || !window.contains(ioba)
        || !window.isAligned(ioba)
        || !isValid(tce, window.pageShift())) {
      return ReturnCode.H_PARAMETER;
    }
    TceTable table = window.table();
    DmaSpace space = window.space();
    long index = window.index(ioba);
    boolean unused = table.replaceUnused(index, tce);
    if (unused && space.drains() == 0) {
      return ReturnCode.H_SUCCESS;
    }
    space.drainBegins();
    return finish(
        cpu, window, ioba, 1, unused ? TceTable.Replaced.UNUSED : table.replace(index, tce));
  }

  /// H_STUFF_TCE.
  long stuff(VirtualCpu cpu, long liobn, long ioba, long tce, long count) {
    DmaWindow window = liobns.find(liobn);
    if (window == null || !window.contains(ioba) || !window.isAligned(ioba)) {
      return ReturnCode.H_PARAMETER;
    }
    if (Long.compareUnsigned(count, stuffLimit) > 0) {
      return ReturnCode.H_P4;
    }
    if (!window.contains(ioba, count) || !isValid(tce, window.pageShift())) {
      return ReturnCode.H_PARAMETER;
    }
    if (count == 0) {
      return ReturnCode.H_SUCCESS;
    }
    window.space().drainBegins();
    return finish(
        cpu, window, ioba, count, window.table().replaceAll(window.index(ioba), count, tce));
  }

  /// H_PUT_TCE_INDIRECT. Without the Multi-TCE-Table option: a negative LIOBN is a function that is
  /// not there.
  long putIndirect(VirtualCpu cpu, long liobn, long ioba, long list, long count) {
    if (liobn < 0) {
      return ReturnCode.H_FUNCTION;
    }
    if (Long.compareUnsigned(count, TceList.MAX_ENTRIES) > 0) {
      return ReturnCode.H_PARAMETER;
    }
    DmaWindow window = liobns.find(liobn);
    if (window == null
        || !window.contains(ioba, count)
        || !window.isAligned(ioba)
        || (list & (GuestMemory.PAGE - 1)) != 0
        || memory.statusAt(list, Access.READ) == MemoryStatus.HOLE) {
      return ReturnCode.H_PARAMETER;
    }
    TceList entries = spare.take();
    try {
      long copied = entries.copy(memory, list, (int) count);
      return copied == ReturnCode.H_SUCCESS ? put(cpu, window, ioba, entries, (int) count) : copied;
    } finally {
      spare.giveBack(entries);
    }
  }

  private long put(VirtualCpu cpu, DmaWindow window, long ioba, TceList entries, int count) {
    for (int i = 0; i < count; i++) {
      if (!isValid(entries.get(i), window.pageShift())) {
        return ReturnCode.H_PARAMETER;
      }
    }
    if (count == 0) {
      return ReturnCode.H_SUCCESS;
    }
    window.space().drainBegins();
    return finish(
        cpu, window, ioba, count, window.table().replaceEach(window.index(ioba), count, entries));
  }

  // --- checks

  /// An entry that maps a page must be well-formed, and its page the partition's.
  private boolean isValid(long tce, int pageShift) {
    return !Tce.isMapped(tce) || (!Tce.isMalformed(tce, pageShift) && isOwned(tce, pageShift));
  }

  private boolean isOwned(long tce, int pageShift) {
    return memory.statusAt(Tce.address(tce, pageShift), Access.READ) != MemoryStatus.HOLE;
  }

  // --- completion

  /// After a change that announced a drain.
  private long finish(
      VirtualCpu cpu, DmaWindow window, long ioba, long count, TceTable.Replaced replaced) {
    DmaSpace space = window.space();
    if (replaced == TceTable.Replaced.NOTHING) {
      space.drainEnds();
      return ReturnCode.H_NOT_ENOUGH_RESOURCES;
    }
    if (replaced == TceTable.Replaced.USED || space.drains() > 1) {
      return drain(cpu, window, ioba, count);
    }
    space.drainEnds();
    return ReturnCode.H_SUCCESS;
  }

  /// One drain for all the pages of a call.
  private long drain(VirtualCpu cpu, DmaWindow window, long ioba, long count) {
    counters.drained();
    DmaSpace space = window.space();
    PendingCall call = new PendingCall(halted, cpu, space::drainEnds, () -> ReturnCode.H_SUCCESS);
    invalidator.invalidate(space.tag(), ioba, window.last(ioba, count), call);
    return call.returnOrHalt();
  }
}
