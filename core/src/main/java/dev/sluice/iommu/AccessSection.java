package dev.sluice.iommu;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/// The access sections of one thread on one endpoint: what it may be touching right now, so that an
/// invalidation over it waits.
///
/// Only the thread that owns it begins and ends sections; it says which address space and which I/O
/// virtual addresses the section may touch, and invalidations of others pass it by.
///
/// Memory order: the beginning is a write and a full fence, *before* the section reads what it
/// relies on (a cached translation, whether a mapping is live); an invalidation changes that, makes
/// a full fence, and *then* reads the state. So either the invalidation sees the section or the
/// section sees the change. This fence is the one price of a section. Its end is a release write:
/// see [WaitList] for how somebody can still wait for it without being overlooked.
///
/// HotSpot's C2 leaves out a full fence that another one follows with nothing but plain reads in
/// between, so what a section asks first is read with acquire order (all of it is): then the fence
/// stays, also where sections follow one another in one compiled loop.
public final class AccessSection {
  private static final VarHandle STATE;
  private static final VarHandle RETURNED;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      STATE = lookup.findVarHandle(AccessSection.class, "state", long.class);
      RETURNED = lookup.findVarHandle(AccessSection.class, "returned", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /// In [#state]: a section is open.
  private static final long OPEN = 1;

  /// In [#state]: it may touch any address space.
  private static final long ANY_SPACE = 2;

  /// What [#state] grows by from section to section.
  private static final long NEXT = 4;

  @SuppressWarnings("unused") // keeps the neighbour off the line
  private long before1, before2, before3, before4, before5, before6, before7;

  /// How many sections there have been, times [#NEXT], and the two bits above. Never twice the
  /// same.
  private volatile long state;

  // What the open section may touch. Written before `state` says that it is open, so whoever finds
  // the state as it was after reading these has read what belongs to it.
  private long tag;
  private long first;
  private long last;

  // How many leases the owner has taken, and of how many it has freed the cells. Here, as an
  // invalidation looks at them with the state.
  private long taken;
  private long returned;

  @SuppressWarnings("unused") // keeps the neighbour off the line
  private long after1, after2, after3, after4, after5, after6, after7;

  private final Thread owner;
  private final WaitList waits = new WaitList();
  private final PageLeases leases = new PageLeases(this);

  /// For a section that begins within one of the same thread and endpoint.
  private @Nullable AccessSection inner;

  private final boolean isInner;

  AccessSection(Thread owner, boolean isInner) {
    this.owner = owner;
    this.isInner = isInner;
  }

  /// Whether it is found through another of the same thread.
  boolean isInner() {
    return isInner;
  }

  boolean isOwnedBy(Thread thread) {
    return owner == thread;
  }

  Thread owner() {
    return owner;
  }

  WaitList waits() {
    return waits;
  }

  PageLeases leases() {
    return leases;
  }

  @Nullable AccessSection inner() {
    return inner;
  }

  void inner(AccessSection made) {
    inner = made;
  }

  boolean isOpen() {
    return (state & OPEN) != 0;
  }

  /// Begins a section that touches one address space only.
  void begin(long ofTag, long ofFirst, long ofLast) {
    begin(ofTag, ofFirst, ofLast, OPEN);
  }

  /// Begins a section that may touch any address space.
  void begin(long ofFirst, long ofLast) {
    begin(0, ofFirst, ofLast, OPEN | ANY_SPACE);
  }

  private void begin(long ofTag, long ofFirst, long ofLast, long bits) {
    long now = (long) STATE.get(this);
    // What the section before did stays before what follows: whoever reads this range has to find
    // that section over.
    VarHandle.releaseFence();
    tag = ofTag;
    first = ofFirst;
    last = ofLast;
    STATE.setRelease(this, now | bits);
    VarHandle.fullFence();
  }

  /// Ends the section; may run the completion of an invalidation on this thread.
  public void leave() {
    long now = (long) STATE.get(this);
    STATE.setRelease(this, (now & -NEXT) + NEXT);
    // For the compiler: first the end, then the look. The processor's part is WaitList's.
    VarHandle.releaseFence();
    if (waits.isAwaited()) {
      waits.wake();
    }
  }

  /// The state of the section that is open now and may touch what is meant; 0 when there is none.
  ///
  /// @param tagMask which bits of the address space's tag count
  long openOver(long tagMask, long tagValue, long fromIova, long toIova) {
    long seen = state;
    if ((seen & OPEN) == 0) {
      return 0;
    }
    boolean meant =
        ((seen & ANY_SPACE) != 0 || ((tag ^ tagValue) & tagMask) == 0)
            && Long.compareUnsigned(first, toIova) <= 0
            && Long.compareUnsigned(fromIova, last) <= 0;
    // If what was read belongs to a later section, the one that was seen is over.
    return meant ? seen : 0;
  }

  /// Looks so often that a section which copies a few pages ends meanwhile.
  private static final int LOOKS = 200;

  /// Whether no section is open that may touch what is meant, or the one that is ends in about a
  /// microsecond.
  boolean endsSoon(long tagMask, long tagValue, long fromIova, long toIova) {
    long open = openOver(tagMask, tagValue, fromIova, toIova);
    if (open == 0) {
      return true;
    }
    for (int look = 0; look < LOOKS; look++) {
      if (isOver(open)) {
        return true;
      }
      Thread.onSpinWait();
    }
    return false;
  }

  /// Whether the section that was open as `seen` has ended.
  boolean isOver(long seen) {
    return state != seen;
  }

  // --- how many leases

  /// By the owner, within a section.
  void countTaken() {
    taken++;
  }

  /// By the owner, after the lease is free.
  void countReturned() {
    RETURNED.setRelease(this, returned + 1);
  }

  /// Whether there ever was a lease. What a section that has ended took is not overlooked.
  boolean hadLeases() {
    return taken != 0;
  }

  /// How many leases were taken and are not free.
  long leaseCount() {
    // Those given back first: so none of them is missing among those taken.
    long back = (long) RETURNED.getAcquire(this);
    return taken - back;
  }

  /// Whether there may be leases: false only if each that was taken by a section that has ended was
  /// given back.
  boolean mayHaveLeases() {
    return leaseCount() != 0;
  }
}
