package dev.sluice.testkit.vtd;

import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.RequesterId;
import dev.sluice.memory.Access;
import dev.sluice.models.vtd.VtdConfig;
import dev.sluice.models.vtd.VtdIommu;
import dev.sluice.testkit.soak.Scope;
import dev.sluice.testkit.soak.SoakIommu;
import dev.sluice.testkit.soak.SoakMemory;
import dev.sluice.testkit.soak.Waiting;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// VT-d under soak. As Linux does, the guest says of most pages that only their own entries have
/// changed; now and then it has moved the table that they are in, too.
public final class VtdSoak implements SoakIommu {
  private static final int GCMD = 0x18;
  private static final int RTADDR = 0x20;
  private static final int IQA = 0x90;
  private static final long TRANSLATION_ENABLE = 1L << 31;
  private static final long SET_ROOT_TABLE_POINTER = 1L << 30;
  private static final long QUEUED_INVALIDATION_ENABLE = 1L << 26;
  private static final int ORDER_2_MIB = 9;

  /// Of so many invalidations of pages, one is after a table was moved.
  private static final int MOVES = 8;

  private final ExecutorService worker = Executors.newSingleThreadExecutor();
  private final VtdIommu iommu;
  private final VtdTables tables;
  private final VtdInvalidations invalidations;
  private final ConcurrentHashMap<Integer, Long> spaces = new ConcurrentHashMap<>();
  private final AtomicInteger turn = new AtomicInteger();

  private VtdSoak(SoakMemory memory, boolean queued) {
    iommu = new VtdIommu(VtdConfig.DEFAULT, memory.physical(), (_, _) -> {}, worker);
    tables = new VtdTables(memory);
    iommu.writeRegister(RTADDR, 8, tables.root());
    iommu.writeRegister(GCMD, 4, SET_ROOT_TABLE_POINTER);
    if (queued) {
      long queue = memory.table(VtdTables.BYTES);
      invalidations = new VtdQueue(iommu, memory, queue);
      iommu.writeRegister(IQA, 8, queue);
      iommu.writeRegister(GCMD, 4, QUEUED_INVALIDATION_ENABLE);
      iommu.writeRegister(GCMD, 4, TRANSLATION_ENABLE | QUEUED_INVALIDATION_ENABLE);
    } else {
      invalidations = new VtdRegisterInvalidations(iommu);
      iommu.writeRegister(GCMD, 4, TRANSLATION_ENABLE);
    }
  }

  /// A unit that is told by its queue.
  public static SoakIommu queued(SoakMemory memory) {
    return new VtdSoak(memory, true);
  }

  /// A unit that is told by its registers.
  public static SoakIommu byRegisters(SoakMemory memory) {
    return new VtdSoak(memory, false);
  }

  @Override
  public Iommu iommu() {
    return iommu;
  }

  @Override
  public int largeOrder() {
    return ORDER_2_MIB;
  }

  private long table(int space) {
    return spaces.computeIfAbsent(space, _ -> tables.table());
  }

  @Override
  public void map(int space, long iova, long address, int order, Access rights) {
    tables.map(table(space), iova, address, order, rights);
  }

  @Override
  public void unmap(int space, long iova, int order) {
    tables.unmap(table(space), iova, order);
  }

  @Override
  public void bind(RequesterId requester, int space) {
    tables.bind(requester, table(space), VtdInvalidations.domain(space));
  }

  @Override
  public void unbind(RequesterId requester) {
    tables.unbind(requester);
  }

  @Override
  public void invalidate(int guest, List<Scope> scopes, Waiting waiting) {
    Scope.Pages near = turn.getAndIncrement() % MOVES == 0 ? pages(scopes) : null;
    VtdTables.Move move = near == null ? null : tables.beginMove(table(near.space()), near.iova());
    if (near == null || move == null) {
      invalidations.invalidate(guest, scopes, true, waiting);
      return;
    }
    List<Scope> andAllOfTheTable = new ArrayList<>(scopes);
    andAllOfTheTable.add(
        new Scope.Pages(near.space(), near.iova() & -VtdTables.BYTES_OF_LAST_TABLE, ORDER_2_MIB));
    invalidations.invalidate(guest, andAllOfTheTable, false, waiting);
    tables.endMove(move);
  }

  private static Scope.@Nullable Pages pages(List<Scope> scopes) {
    for (Scope scope : scopes) {
      if (scope instanceof Scope.Pages pages) {
        return pages;
      }
    }
    return null;
  }

  @Override
  public void close() {
    worker.shutdown();
  }
}
