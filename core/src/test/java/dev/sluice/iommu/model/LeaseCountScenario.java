package dev.sluice.iommu.model;

import java.util.Set;

/// The short look of an invalidation at the number of leases, against the thread that takes and
/// frees them: `AccessSection.mayHaveLeases`, `PageLeases.take` and `giveBack`.
///
/// The thread has two leases on the old page; it gives the first back, takes and gives back one on
/// the new page, writes through the second old one and gives that back.
///
/// *Never*: the write reaches the old page after the completion.
final class LeaseCountScenario extends Scenario {
  enum Slip {
    /// `AccessSection.mayHaveLeases`: reads how many were taken first.
    TAKEN_READ_FIRST,
    /// `AccessSection.countReturned`: may become visible before the use.
    PLAIN_RETURNED,
    /// `AccessSection.countTaken`: after the lease is in use and given back.
    TAKEN_COUNTED_LATE
  }

  private static final int DATA = 9;

  // Registers.
  private static final int TAKEN = 0;
  private static final int RETURNED = 1;

  private final Set<Slip> slips;
  private final int taken = variable("taken", 2);
  private final int returned = variable("returned", 0);
  private final int page = variable("old page", 0);
  private final int completed = variable("completed", 0);

  LeaseCountScenario(Set<Slip> slips) {
    this.slips = slips;
    owner();
    invalidate();
  }

  private boolean has(Slip slip) {
    return slips.contains(slip);
  }

  private void owner() {
    Program p = thread("owner");
    giveBack(p, "the first");
    if (!has(Slip.TAKEN_COUNTED_LATE)) {
      take(p);
    }
    giveBack(p, "the new one");
    if (has(Slip.TAKEN_COUNTED_LATE)) {
      take(p);
    }
    p.step("writes through the second", cpu -> cpu.store(page, DATA));
    giveBack(p, "the second");
  }

  private void take(Program p) {
    p.step("takes a new one", cpu -> cpu.store(taken, cpu.load(taken) + 1));
  }

  private void giveBack(Program p, String which) {
    p.step(
        "gives back " + which,
        cpu -> {
          int sum = cpu.load(returned) + 1;
          if (has(Slip.PLAIN_RETURNED)) {
            cpu.store(returned, sum);
          } else {
            cpu.release(returned, sum);
          }
        });
  }

  /// When the sections of both old leases have ended: both were counted as taken.
  private void invalidate() {
    Program p = thread("invalidation");
    if (has(Slip.TAKEN_READ_FIRST)) {
      p.step("how many were taken", cpu -> cpu.set(TAKEN, cpu.load(taken)));
    }
    p.step("how many were given back", cpu -> cpu.set(RETURNED, cpu.load(returned)));
    if (!has(Slip.TAKEN_READ_FIRST)) {
      p.step("how many were taken", cpu -> cpu.set(TAKEN, cpu.load(taken)));
    }
    p.step(
        "completes if there is none",
        cpu -> {
          if (cpu.get(TAKEN) == cpu.get(RETURNED)) {
            cpu.storeVolatile(completed, 1);
          }
        });
  }

  @Override
  void written(State now, int variable, int value) {
    check(
        variable != page || now.memory(completed) == 0,
        "the write reaches the old page after the completion");
  }
}
