package dev.sluice.iommu.model;

import java.util.Set;

/// A walk that makes the cache of its address space, against an invalidation that looks for the
/// caches there are: `Invalidator.space`, `Iotlb.ticket` and `insert`, `Invalidator.invalidate`.
///
/// *Never*: after the invalidation, the old translation stands in the cache.
final class SpacesScenario extends Scenario {
  enum Slip {
    /// A model asks for the cache after it has walked.
    SPACE_AFTER_WALK,
    /// `Invalidator.add`: makes no fence.
    NO_FENCE_AT_ADD,
    /// `InvalidationCount.begin`: does not count.
    NO_BEGIN
  }

  private static final int PAGE = 32;
  private static final int OLD = PAGE;
  private static final int NEW = PAGE + 1;

  // Registers.
  private static final int TICKET = 0;
  private static final int WORD = 1;
  private static final int FOUND = 2;
  private static final int THERE = 3;

  private final Set<Slip> slips;
  private final CountPart count;
  private final int table = variable("table entry", OLD);
  private final int spaces = variable("the cache is there", 0);
  private final int slot = variable("slot", 0);
  private final int invalidated = variable("invalidated", 0);

  SpacesScenario(Set<Slip> slips) {
    this.slips = slips;
    count = new CountPart(this, has(Slip.NO_BEGIN) ? CountPart.Slip.NO_BEGIN : CountPart.Slip.NONE);
    walk();
    invalidate();
    Program other = thread("invalidation of another page");
    count.begin(other, TICKET);
    count.end(other, TICKET);
  }

  private boolean has(Slip slip) {
    return slips.contains(slip);
  }

  private void walk() {
    Program p = thread("walk");
    if (!has(Slip.SPACE_AFTER_WALK)) {
      makeCache(p);
    }
    p.step("takes a ticket", cpu -> cpu.set(TICKET, count.load(cpu)));
    p.step("reads the table", cpu -> cpu.set(FOUND, cpu.load(table)));
    if (has(Slip.SPACE_AFTER_WALK)) {
      makeCache(p);
    }
    p.step(
        "looks at the slot",
        cpu -> {
          cpu.set(WORD, cpu.load(slot));
          cpu.goIf(cpu.get(WORD) > cpu.get(TICKET), Program.END);
        });
    p.step("inserts", cpu -> cpu.compareAndSet(slot, cpu.get(WORD), cpu.get(FOUND)));
  }

  private void makeCache(Program p) {
    p.step(
        "makes the cache",
        cpu -> {
          cpu.release(spaces, 1);
          if (!has(Slip.NO_FENCE_AT_ADD)) {
            cpu.fullFence();
          }
        });
  }

  private void invalidate() {
    Program p = thread("invalidation");
    p.step("the guest changes the table", cpu -> cpu.storeVolatile(table, NEW));
    count.begin(p, TICKET);
    p.step("is the cache there", cpu -> cpu.set(THERE, cpu.load(spaces)));
    p.step(
        "empties the slot",
        cpu -> {
          if (cpu.get(THERE) == 1) {
            cpu.release(slot, cpu.get(TICKET));
          }
        });
    count.end(p, TICKET);
    p.step("is through with the caches", cpu -> cpu.storeVolatile(invalidated, 1));
  }

  @Override
  void written(State now, int variable, int value) {
    check(
        now.memory(invalidated) == 0 || now.memory(slot) != OLD,
        "the old translation stands in the cache after the invalidation");
  }
}
