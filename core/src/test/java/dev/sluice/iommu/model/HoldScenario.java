package dev.sluice.iommu.model;

import java.util.Set;

/// Input by the kernel into a mapping, which outlasts the section that began it, while another
/// thread closes the mapping, against an invalidation: `Hold`, `HoldRegistry`, steps 4 to 6 of
/// `Invalidator` and its look at the holds.
///
/// *Never*: the kernel writes to the old page after the completion.
final class HoldScenario extends Scenario {
  enum Slip {
    /// `Invalidator`: looks at the holds before the sections of step 6 have ended, and not again.
    HOLDS_BEFORE_LAST_SECTIONS,
    /// `Invalidator`: does not look at the sections again when the leases are gone.
    NO_LAST_LOOK,
    /// `Endpoint.hold`: outside a section.
    HOLD_WITHOUT_SECTION,
    /// `Endpoint.hold`: does not ask whether the lease is live.
    LEASE_NOT_ASKED,
    /// `Endpoint.hold`: registered after the section.
    REGISTERED_AFTER_END,
    /// `Hold.endIo`: tells that it is over before the kernel is through.
    OVER_TOO_EARLY
  }

  private static final int LIVE = 1;
  private static final int DATA = 9;

  // Registers.
  private static final int SEEN = 0;
  private static final int WORD = 1;

  private final Set<Slip> slips;
  private final SectionPart section = new SectionPart(this, "the thread with input");
  private final int cell = variable("word of the cell", LIVE);
  private final int holds = variable("holds", 0);
  private final int registry = variable("lock of the registry", 0);
  private final int page = variable("old page", 0);
  private final int completed = variable("completed", 0);

  HoldScenario(Set<Slip> slips) {
    this.slips = slips;
    input();
    Program close = thread("close");
    close.step("gives the lease back", cpu -> cpu.release(cell, 0));
    invalidate();
  }

  private boolean has(Slip slip) {
    return slips.contains(slip);
  }

  private void input() {
    Program p = thread("input");
    if (!has(Slip.HOLD_WITHOUT_SECTION)) {
      section.begin(p);
    }
    if (!has(Slip.LEASE_NOT_ASKED)) {
      p.step("is the lease live", cpu -> cpu.goIf(cpu.load(cell) != LIVE, "not live"));
    }
    if (has(Slip.REGISTERED_AFTER_END)) {
      section.end(p);
    }
    register(p, 1);
    if (!has(Slip.HOLD_WITHOUT_SECTION) && !has(Slip.REGISTERED_AFTER_END)) {
      section.end(p);
    }
    if (has(Slip.OVER_TOO_EARLY)) {
      register(p, 0);
    }
    p.step("the kernel writes", cpu -> cpu.store(page, DATA));
    if (!has(Slip.OVER_TOO_EARLY)) {
      register(p, 0);
    }
    p.step("is done", cpu -> cpu.go(Program.END));
    p.label("not live");
    if (!has(Slip.HOLD_WITHOUT_SECTION)) {
      section.end(p);
    }
  }

  private void register(Program p, int size) {
    p.lock("takes the lock of the registry", registry);
    p.step(size == 1 ? "registers the hold" : "removes the hold", cpu -> cpu.store(holds, size));
    p.unlock("gives the lock of the registry back", registry);
  }

  /// From its second count on.
  private void invalidate() {
    Program p = thread("invalidation");
    section.await(p, SEEN, SectionPart.ANY, "leases");
    p.step("looks at the cell", cpu -> cpu.set(WORD, cpu.load(cell)));
    p.when(
        "the lease is over",
        cpu -> cpu.get(WORD) != LIVE || cpu.load(cell) != cpu.get(WORD),
        cpu -> cpu.set(WORD, 0));
    if (has(Slip.HOLDS_BEFORE_LAST_SECTIONS)) {
      awaitHolds(p);
    }
    if (!has(Slip.NO_LAST_LOOK)) {
      section.await(p, SEEN, SectionPart.ANY, "uses");
    }
    if (!has(Slip.HOLDS_BEFORE_LAST_SECTIONS)) {
      awaitHolds(p);
    }
    p.step("completes", cpu -> cpu.storeVolatile(completed, 1));
  }

  private void awaitHolds(Program p) {
    p.when("there is no hold", cpu -> cpu.load(holds) == 0, _ -> {});
  }

  @Override
  void written(State now, int variable, int value) {
    check(
        variable != page || now.memory(completed) == 0,
        "the kernel writes to the old page after the completion");
  }
}
