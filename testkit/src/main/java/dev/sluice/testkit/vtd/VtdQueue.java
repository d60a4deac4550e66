package dev.sluice.testkit.vtd;

import dev.sluice.models.vtd.VtdIommu;
import dev.sluice.testkit.TableStore;
import dev.sluice.testkit.soak.Scope;
import dev.sluice.testkit.soak.Waiting;
import java.util.List;

/// Invalidation through the queue (VT-d specification 6.5.2): descriptors, then a wait descriptor
/// whose status word the processor that asked watches.
///
/// ```
///  127                                                              64
/// |  address of a page run, IH and log2 of its pages; or of a status  |
///  63        48 47        32 31        16 15         6  5   4 3      0
/// | status data, or function |  domain id |     0     |SW |gran| type  |
/// ```
final class VtdQueue implements VtdInvalidations {
  private static final int IQT = 0x88;
  private static final int DESCRIPTORS = 256;
  private static final int DESCRIPTOR = 16;
  private static final long CONTEXT_OF_FUNCTION = 0x31;
  private static final long ALL_TRANSLATIONS = 0x12;
  private static final long TRANSLATIONS_OF_DOMAIN = 0x22;
  private static final long TRANSLATIONS_OF_PAGES = 0x32;
  private static final long WAIT_WITH_STATUS = 0x25;

  private final VtdIommu iommu;
  private final TableStore memory;
  private final long queue;
  private final long statuses;
  private int tail;
  private int submissions;

  VtdQueue(VtdIommu iommu, TableStore memory, long queue) {
    this.iommu = iommu;
    this.memory = memory;
    this.queue = queue;
    statuses = memory.table(VtdTables.BYTES);
  }

  @Override
  public void invalidate(int guest, List<Scope> scopes, boolean leavesOnly, Waiting waiting) {
    long status = statuses + guest * 8L;
    int data;
    synchronized (this) {
      data = ++submissions;
      scopes.forEach(scope -> append(scope, leavesOnly));
      append((long) data << 32 | WAIT_WITH_STATUS, status);
      iommu.writeRegister(IQT, 4, (long) tail * DESCRIPTOR);
    }
    waiting.until(() -> (int) memory.load(status) == data, "status of " + scopes);
  }

  private void append(Scope scope, boolean leavesOnly) {
    switch (scope) {
      case Scope.Pages pages ->
          append(
              TRANSLATIONS_OF_PAGES | did(pages.space()),
              VtdInvalidations.operand(pages, leavesOnly));
      case Scope.Space space -> append(TRANSLATIONS_OF_DOMAIN | did(space.space()), 0);
      case Scope.Everything _ -> append(ALL_TRANSLATIONS, 0);
      case Scope.Binding binding ->
          append(
              CONTEXT_OF_FUNCTION | did(binding.space()) | (long) binding.requester().value() << 32,
              0);
    }
  }

  private static long did(int space) {
    return (long) VtdInvalidations.domain(space) << 16;
  }

  private void append(long low, long high) {
    memory.store(queue + (long) tail * DESCRIPTOR, low);
    memory.store(queue + (long) tail * DESCRIPTOR + 8, high);
    tail = (tail + 1) % DESCRIPTORS;
  }
}
