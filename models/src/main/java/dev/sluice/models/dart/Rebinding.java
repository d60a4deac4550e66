package dev.sluice.models.dart;

import dev.sluice.iommu.Invalidation;
import dev.sluice.iommu.Invalidator;

/// Has requesters ask again which addresses they use: translated ones, and whose, or none.
public final class Rebinding {
  /// Every binding, and a range that no device reaches: a DART's guest is not told when accesses
  /// from before such a change have ended, except by the invalidation that it asks for next. So
  /// there is nothing to wait for, and nothing piles up.
  private static final Invalidation BINDINGS =
      new Invalidation(0, 0, false, -1, -1, Invalidation.Binding.MATCHING, null);

  private Rebinding() {}

  /// Takes every requester's binding away. Cached translations stay.
  public static void of(Invalidator invalidator) {
    invalidator.invalidate(BINDINGS, () -> {});
  }
}
