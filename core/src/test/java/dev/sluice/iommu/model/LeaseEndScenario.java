package dev.sluice.iommu.model;

import java.util.Set;

/// Uses of a mapping by two threads while a third closes it or revokes it, against an invalidation:
/// `PageLease.isLive`, steps 4 to 6 of `Invalidator`.
///
/// *Never*: a use that writes reaches the old page after the completion; a use that reads returns
/// bytes that the new owner has written.
final class LeaseEndScenario extends Scenario {
  enum Slip {
    /// A use that writes: no section.
    USE_WITHOUT_SECTION,
    /// A use that writes: asks whether the lease is live, then begins its section.
    LIVE_BEFORE_BEGIN,
    /// A use that writes: the section begins without a full fence.
    NO_FENCE_AT_BEGIN,
    /// A use that reads: asks whether the lease is live, then reads.
    LIVE_BEFORE_READ,
    /// `Invalidator`: does not look at the sections again when the leases are gone.
    NO_LAST_LOOK,
    /// `Invalidator`: looks at the sections again before the leases are gone.
    LAST_LOOK_TOO_EARLY,
    /// `Invalidator`: does not wait for leases.
    NO_WAIT
  }

  private static final int LIVE = 1;
  private static final int REVOKED = 2;
  private static final int DATA = 9;
  private static final int SECRET = 7;

  // Registers.
  private static final int SEEN = 0;
  private static final int BYTES = 1;
  private static final int WORD = 2;

  private final Set<Slip> slips;
  private final SectionPart section = new SectionPart(this, "the writing thread");
  private final int cell = variable("word of the cell", LIVE);
  private final int page = variable("old page", 0);
  private final int completed = variable("completed", 0);

  LeaseEndScenario(Set<Slip> slips) {
    this.slips = slips;
    write();
    read();
    Program end = thread("end of the lease");
    // By the owner a release store, by another thread a compare-and-set: this one is the weaker.
    end.step("gives it back, or takes it away", cpu -> cpu.release(cell, REVOKED));
    invalidate();
  }

  private boolean has(Slip slip) {
    return slips.contains(slip);
  }

  private void write() {
    Program p = thread("writing use");
    if (has(Slip.LIVE_BEFORE_BEGIN)) {
      p.step("is it live", cpu -> cpu.set(SEEN, cpu.load(cell)));
    }
    if (has(Slip.NO_FENCE_AT_BEGIN)) {
      section.beginWithoutFence(p);
    } else if (!has(Slip.USE_WITHOUT_SECTION)) {
      section.begin(p);
    }
    if (!has(Slip.LIVE_BEFORE_BEGIN)) {
      p.step("is it live", cpu -> cpu.set(SEEN, cpu.load(cell)));
    }
    p.step(
        "writes",
        cpu -> {
          if (cpu.get(SEEN) == LIVE) {
            cpu.store(page, DATA);
          }
          cpu.forget();
        });
    if (!has(Slip.USE_WITHOUT_SECTION)) {
      section.end(p);
    }
  }

  private void read() {
    Program p = thread("reading use");
    if (has(Slip.LIVE_BEFORE_READ)) {
      p.step("is it live", cpu -> cpu.set(SEEN, cpu.load(cell)));
    }
    p.step("reads", cpu -> cpu.set(BYTES, cpu.load(page)));
    if (!has(Slip.LIVE_BEFORE_READ)) {
      p.step("is it live", cpu -> cpu.set(SEEN, cpu.load(cell)));
    }
    p.step(
        "returns",
        cpu -> {
          cpu.check(
              cpu.get(SEEN) != LIVE || cpu.get(BYTES) != SECRET,
              "the use returns bytes of the new owner");
          cpu.forget();
        });
  }

  /// From its second count on.
  private void invalidate() {
    Program p = thread("invalidation");
    section.await(p, SEEN, SectionPart.ANY, "leases");
    if (has(Slip.LAST_LOOK_TOO_EARLY)) {
      section.await(p, SEEN, SectionPart.ANY, "too early");
    }
    if (!has(Slip.NO_WAIT)) {
      p.step("looks at the cell", cpu -> cpu.set(WORD, cpu.load(cell)));
      p.when(
          "the lease is over",
          cpu -> cpu.get(WORD) != LIVE || cpu.load(cell) != cpu.get(WORD),
          cpu -> cpu.set(WORD, 0));
    }
    if (!has(Slip.NO_LAST_LOOK) && !has(Slip.LAST_LOOK_TOO_EARLY)) {
      section.await(p, SEEN, SectionPart.ANY, "uses");
    }
    p.step("completes", cpu -> cpu.storeVolatile(completed, 1));
    p.step("the new owner writes", cpu -> cpu.store(page, SECRET));
  }

  @Override
  void written(State now, int variable, int value) {
    check(
        variable != page || value != DATA || now.memory(completed) == 0,
        "a use reaches the old page after the completion");
  }
}
