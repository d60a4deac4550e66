package dev.sluice.iommu;

import dev.sluice.iommu.Translation.Page;
import dev.sluice.memory.RamRegion;

/// What the tests of this package begin with, small enough that a test makes thousands a second.
public final class Small {
  public static final long TAG = 5;
  public static final RequesterId DEVICE = new RequesterId(0x28);

  /// What the guest's table has before the guest changes it, and after.
  public static final Page OLD = new Page(0, 0x10000, 12, true, true, TAG);

  public static final Page NEW = new Page(0, 0x20000, 12, true, true, TAG);

  /// Named by holds; nobody touches it.
  public static final RamRegion RAM = RamRegion.allocate(4096);

  private Small() {}

  /// A moment in which the other side may get in between, as it could in a page walk or a copy.
  public static void pause() {
    for (int i = 0; i < 4; i++) {
      Thread.onSpinWait();
    }
  }

  /// An invalidator whose caches have two slots of each kind.
  public static Invalidator invalidator() {
    return new Invalidator(DeadlineClock.system(), tag -> new Iotlb(tag, 2, 2));
  }
}
