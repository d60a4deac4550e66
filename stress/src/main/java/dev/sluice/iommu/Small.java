package dev.sluice.iommu;

import dev.sluice.iommu.Translation.Page;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// What the tests of this package begin with, small enough that a test makes thousands a second: an
/// IOMMU with one device, bound to one address space.
public final class Small {
  public static final long TAG = 5;
  public static final RequesterId DEVICE = new RequesterId(0x28);

  /// The page of I/O virtual addresses that everything is about.
  public static final long FIRST = 0;

  public static final long LAST = 4095;

  /// What the guest's table has before the guest changes it, and after.
  public static final Page OLD = new Page(0, 0x0000, 12, true, true, TAG);

  public static final Page NEW = new Page(0, 0x1000, 12, true, true, TAG);

  private static final MemorySegment BYTES = Arena.global().allocate(0x2000, 4096);

  final GuestMemory memory = new GuestMemory();
  final RamRegion ram = RamRegion.of(BYTES, true, () -> {});
  final Invalidator invalidator = invalidator();
  final Endpoint endpoint;
  final Iotlb space;

  Small() {
    memory.addRam(0, ram);
    endpoint = invalidator.attach(DEVICE, memory);
    space = invalidator.space(TAG, endpoint);
    endpoint.bind(space, endpoint.bindTicket());
  }

  /// An invalidator with small caches.
  public static Invalidator invalidator() {
    return new Invalidator(DeadlineClock.system(), 2);
  }

  /// A moment in which the other side may get in between, as it could in a page walk or a copy.
  static void pause() {
    for (int i = 0; i < 4; i++) {
      Thread.onSpinWait();
    }
  }

  /// The old page is cached.
  Small cached() {
    space.insert(OLD, FIRST, space.ticket(FIRST));
    return this;
  }

  /// Whether the page is cached; within a section.
  boolean isCached() {
    return space.find(FIRST, Access.READ.rights()) != Iotlb.MISS;
  }

  /// A section on the page.
  AccessSection enter() {
    return endpoint.enter(TAG, FIRST, LAST);
  }

  /// A hold on the page. Within a section.
  Hold hold(long count, Runnable ended) {
    return endpoint.hold(TAG, FIRST, LAST, count, ram, ended);
  }

  /// A hold on the page, in a section of its own.
  Hold hold(Runnable ended) {
    AccessSection section = enter();
    try {
      return hold(endpoint.count(), ended);
    } finally {
      section.leave();
    }
  }

  /// A lease on the page. Within a section.
  PageLease lease(AccessSection section, long count) {
    PageLease lease = new PageLease();
    if (!endpoint.lease(section, lease, TAG, FIRST, LAST, count, 0)) {
      throw new IllegalStateException("no room for a lease");
    }
    return lease;
  }

  /// A lease on the page, in a section of its own.
  PageLease lease() {
    AccessSection section = enter();
    try {
      return lease(section, endpoint.count());
    } finally {
      section.leave();
    }
  }

  void invalidate(Runnable completed) {
    invalidator.invalidate(TAG, FIRST, LAST, completed);
  }
}
