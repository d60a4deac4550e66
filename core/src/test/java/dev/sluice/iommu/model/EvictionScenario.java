package dev.sluice.iommu.model;

import java.util.Set;

/// A cache that loses its place while a device writes by it and a walk binds to it, against an
/// invalidation that looks for the caches there are: `Invalidator.retire`, `Endpoint.bind`.
///
/// *Never*: the write reaches the old page after the completion. An endpoint is bound to a cache
/// that invalidations do not find.
final class EvictionScenario extends Scenario {
  enum Slip {
    /// `Invalidator.retire`: the cache loses its place before the bindings to it are taken away.
    REMOVED_FIRST,
    /// `Endpoint.bind`: does not ask whether the cache is retired.
    RETIRED_IGNORED,
    /// `Endpoint.bind`: asks before it takes the lock.
    RETIRED_OUTSIDE_LOCK,
    /// `Invalidator.retire`: is retired after the bindings were taken away.
    RETIRED_LAST,
    /// `DmaContext.writeCached`: does not ask again which space it is after the section has begun.
    SPACE_ASKED_ONCE
  }

  private static final int OLD = 1;
  private static final int DATA = 9;

  // Registers.
  private static final int SEEN = 0;
  private static final int THERE = 1;

  private final Set<Slip> slips;
  private final SectionPart section = new SectionPart(this, "the device");
  private final int spaces = variable("the cache has its place", 1);
  private final int retired = variable("the cache is retired", 0);
  private final int space = variable("the endpoint is bound to the cache", 1);
  private final int lock = variable("lock of the endpoint", 0);
  private final int slot = variable("slot", OLD);
  private final int page = variable("old page", 0);
  private final int completed = variable("completed", 0);

  EvictionScenario(Set<Slip> slips) {
    this.slips = slips;
    device();
    bind();
    evict();
    invalidate();
  }

  private boolean has(Slip slip) {
    return slips.contains(slip);
  }

  private void device() {
    Program p = thread("device");
    p.step("which space", cpu -> cpu.goIf(cpu.load(space) == 0, Program.END));
    section.begin(p);
    if (!has(Slip.SPACE_ASKED_ONCE)) {
      p.step("still this space", cpu -> cpu.goIf(cpu.load(space) == 0, "leave"));
    }
    p.step(
        "writes if the page is cached",
        cpu -> {
          if (cpu.load(slot) == OLD) {
            cpu.store(page, DATA);
          }
        });
    p.label("leave");
    section.end(p);
  }

  /// The binding's ticket is [RebindScenario]'s.
  private void bind() {
    Program p = thread("walk");
    if (has(Slip.RETIRED_OUTSIDE_LOCK)) {
      p.step("is the cache retired", cpu -> cpu.goIf(cpu.load(retired) == 1, Program.END));
    }
    p.lock("takes the lock", lock);
    p.step(
        "is the cache retired",
        cpu -> {
          boolean asked = !has(Slip.RETIRED_IGNORED) && !has(Slip.RETIRED_OUTSIDE_LOCK);
          cpu.goIf(asked && cpu.load(retired) == 1, "unlock");
        });
    p.step("binds", cpu -> cpu.store(space, 1));
    p.label("unlock");
    p.unlock("gives the lock back", lock);
  }

  private void evict() {
    Program p = thread("eviction");
    if (has(Slip.REMOVED_FIRST)) {
      remove(p);
    }
    if (!has(Slip.RETIRED_LAST)) {
      p.step("retires the cache", cpu -> cpu.storeVolatile(retired, 1));
    }
    p.lock("takes the lock", lock);
    p.step("takes the binding away", cpu -> cpu.store(space, 0));
    p.unlock("gives the lock back", lock);
    if (has(Slip.RETIRED_LAST)) {
      p.step("retires the cache", cpu -> cpu.storeVolatile(retired, 1));
    }
    section.await(p, SEEN, SectionPart.ANY, "unused");
    if (!has(Slip.REMOVED_FIRST)) {
      remove(p);
    }
  }

  private void remove(Program p) {
    p.step("takes its place", cpu -> cpu.storeVolatile(spaces, 0));
  }

  private void invalidate() {
    Program p = thread("invalidation");
    p.step("is the cache there", cpu -> cpu.set(THERE, cpu.load(spaces)));
    p.step(
        "empties the slot",
        cpu -> {
          if (cpu.get(THERE) == 1) {
            cpu.release(slot, 0);
          }
        });
    p.step("counts the end", Processor::fullFence);
    section.await(p, SEEN, SectionPart.ANY, "drained");
    p.step("completes", cpu -> cpu.storeVolatile(completed, 1));
  }

  @Override
  void written(State now, int variable, int value) {
    check(
        variable != page || now.memory(completed) == 0,
        "the write reaches the old page after the completion");
  }

  @Override
  void ended(State now) {
    check(now.memory(space) == 0, "the endpoint is bound to a cache that has lost its place");
  }
}
