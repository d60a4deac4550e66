package dev.sluice.testkit.vtd;

import dev.sluice.models.vtd.VtdIommu;
import dev.sluice.testkit.soak.Scope;
import dev.sluice.testkit.soak.Waiting;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/// Invalidation through registers (VT-d specification 6.5.1): one request after the other, each
/// until the unit has cleared bit 63.
final class VtdRegisterInvalidations implements VtdInvalidations {
  private static final int CCMD = 0x28;
  private static final int IVA = 0x200;
  private static final int IOTLB = 0x208;
  private static final long START = 1L << 63;
  private static final long CONTEXT_OF_FUNCTION = 3L << 61;
  private static final long ALL_TRANSLATIONS = 1L << 60;
  private static final long TRANSLATIONS_OF_DOMAIN = 2L << 60;
  private static final long TRANSLATIONS_OF_PAGES = 3L << 60;

  private final VtdIommu iommu;
  private final ReentrantLock registers = new ReentrantLock();

  VtdRegisterInvalidations(VtdIommu iommu) {
    this.iommu = iommu;
  }

  @Override
  public void invalidate(int guest, List<Scope> scopes, boolean leavesOnly, Waiting waiting) {
    registers.lock();
    try {
      for (Scope scope : scopes) {
        invalidate(scope, leavesOnly, waiting);
      }
    } finally {
      registers.unlock();
    }
  }

  private void invalidate(Scope scope, boolean leavesOnly, Waiting waiting) {
    switch (scope) {
      case Scope.Pages pages -> {
        iommu.writeRegister(IVA, 8, VtdInvalidations.operand(pages, leavesOnly));
        command(IOTLB, TRANSLATIONS_OF_PAGES | did(pages.space()), scope, waiting);
      }
      case Scope.Space space ->
          command(IOTLB, TRANSLATIONS_OF_DOMAIN | did(space.space()), scope, waiting);
      case Scope.Everything _ -> command(IOTLB, ALL_TRANSLATIONS, scope, waiting);
      case Scope.Binding binding ->
          command(
              CCMD,
              CONTEXT_OF_FUNCTION
                  | (long) binding.requester().value() << 16
                  | VtdInvalidations.domain(binding.space()),
              scope,
              waiting);
    }
  }

  private static long did(int space) {
    return (long) VtdInvalidations.domain(space) << 32;
  }

  private void command(int register, long command, Scope scope, Waiting waiting) {
    iommu.writeRegister(register, 8, START | command);
    waiting.until(() -> (iommu.readRegister(register, 8) & START) == 0, "end of " + scope);
  }
}
