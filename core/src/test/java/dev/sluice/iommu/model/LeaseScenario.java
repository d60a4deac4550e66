package dev.sluice.iommu.model;

import java.util.Set;

/// A mapping of one page that is made, used and given back by one thread, then made again and kept,
/// against an invalidation: `PageLeases`, `PageLease`, steps 4 to 6 of `Invalidator`.
///
/// The first mapping may be of the old page; the second, if it began after the invalidation's
/// changes, is of the new one and never given back.
///
/// Another invalidation comes in between.
///
/// *Never*: a use of a mapping of the old page reaches it after the completion. A mapping that
/// began after the changes is waited for.
final class LeaseScenario extends Scenario {
  enum Slip {
    /// `DmaContext.mapCached`: reads the count after the lookup.
    COUNT_AFTER_LOOKUP,
    /// `DmaContext.mapCached`: reads the count before the section.
    COUNT_BEFORE_BEGIN,
    /// `PageLeases.take`: after the section has ended.
    TAKEN_AFTER_END,
    /// `PageLeases.take`: the particulars are written after the word.
    WORD_BEFORE_PARTICULARS,
    /// `AccessSection.begin`: the store of the state is no full fence.
    NO_FENCE_AT_BEGIN,
    /// `PageLeases.giveBack`: before the use's stores, as it is no release.
    PLAIN_GIVE_BACK,
    /// `PageLeases.giveBack`: does not look for waiters.
    NO_LOOK,
    /// `PageLeases.giveBack`: looks for waiters first.
    LOOK_BEFORE_GIVE_BACK,
    /// `Invalidator`: looks for leases without waiting for sections.
    LEASES_BEFORE_SECTIONS,
    /// `Invalidator`: asks for the leases from before its first count, not its second.
    FIRST_COUNT_ASKED,
    /// `Invalidator`: asks for the leases from before the count as it is by then.
    LATER_COUNT_ASKED,
    /// `Invalidator`: asks for all leases.
    ALL_LEASES_ASKED,
    /// `Invalidator`: does not wait for leases.
    NO_WAIT,
    /// `Endpoint.awaitLeases`: reads the cell's word again, to wait for the end of what it finds.
    WORD_READ_TWICE,
    /// A slip of the wait list's.
    LIST_NO_BARRIER,
    LIST_NO_SECOND_LOOK
  }

  private static final int THREADS = 3;
  private static final int OPEN = 1;
  private static final int OLD = 2;
  private static final int EMPTY = 0;
  private static final int NEW = 1;
  private static final int DATA = 9;

  // Registers.
  private static final int COUNT = 0;
  private static final int WORD = 1;
  private static final int SEEN = 2;
  private static final int NUMBER = 3;

  /// Whether the section began after the invalidation's changes; nothing that the code has.
  private static final int NEWER = 4;

  private final Set<Slip> slips;
  private final CountPart count = new CountPart(this, CountPart.Slip.NONE);
  private final int slot = variable("slot", OLD);
  private final int state = variable("state", 0);
  private final int cell = variable("word of the cell", 0);
  private final int cellCount = variable("count of the cell", 9);
  private final int oldPage = variable("old page", 0);
  private final int completions = variable("completions", 0);

  /// Whether the invalidation's changes are over; nothing that the code has.
  private final int changed = variable("changes are over", 0);

  private final WaitListPart waits;

  LeaseScenario(Set<Slip> slips) {
    this.slips = slips;
    WaitListPart.Slip listSlip =
        has(Slip.LIST_NO_BARRIER)
            ? WaitListPart.Slip.NO_BARRIER
            : has(Slip.LIST_NO_SECOND_LOOK)
                ? WaitListPart.Slip.NO_SECOND_LOOK
                : WaitListPart.Slip.NONE;
    waits = new WaitListPart(this, 1, THREADS, cell, listSlip, (cpu, _) -> cpu.add(completions, 1));
    device();
    invalidation();
    Program other = thread("invalidation of another page");
    count.begin(other, NUMBER);
    count.end(other, NUMBER);
    other.step("is done", Processor::forget);
  }

  private boolean has(Slip slip) {
    return slips.contains(slip);
  }

  private void device() {
    Program p = thread("device");
    map(p, 1);
    begin(p);
    p.step(
        "uses the mapping if it is live",
        cpu -> {
          if (cpu.load(cell) == 1 && cpu.get(WORD) == OLD) {
            cpu.store(oldPage, DATA);
          }
        });
    end(p);
    giveBack(p, "first");
    map(p, 2);
    p.step(
        "keeps it if it is newer than the invalidation",
        cpu -> cpu.goIf(cpu.get(NEWER) == 1, "kept"));
    giveBack(p, "second");
    p.label("kept");
    p.step("is done", Processor::forget);
  }

  /// `PageLeases.giveBack`.
  private void giveBack(Program p, String name) {
    if (has(Slip.LOOK_BEFORE_GIVE_BACK)) {
      waits.lookAndWake(p, name);
    }
    p.step(
        "gives the " + name + " back",
        cpu -> {
          if (has(Slip.PLAIN_GIVE_BACK)) {
            cpu.store(cell, 0);
          } else {
            cpu.release(cell, 0);
          }
        });
    if (!has(Slip.LOOK_BEFORE_GIVE_BACK) && !has(Slip.NO_LOOK)) {
      waits.lookAndWake(p, name);
    }
  }

  /// `DmaContext.mapCached`. A miss is a walk of the new table: [WalkScenario] has the others.
  private void map(Program p, int lease) {
    if (has(Slip.COUNT_BEFORE_BEGIN)) {
      p.step("reads the count", cpu -> cpu.set(COUNT, count.load(cpu)));
    }
    begin(p);
    if (!has(Slip.COUNT_BEFORE_BEGIN) && !has(Slip.COUNT_AFTER_LOOKUP)) {
      p.step("reads the count", cpu -> cpu.set(COUNT, count.load(cpu)));
    }
    p.step("looks up", cpu -> cpu.set(WORD, cpu.load(slot) == OLD ? OLD : NEW));
    if (has(Slip.COUNT_AFTER_LOOKUP)) {
      p.step("reads the count", cpu -> cpu.set(COUNT, count.load(cpu)));
    }
    if (has(Slip.TAKEN_AFTER_END)) {
      end(p);
    }
    p.step(
        "takes a cell: particulars and word",
        cpu -> {
          if (has(Slip.WORD_BEFORE_PARTICULARS)) {
            cpu.release(cell, lease);
            cpu.release(cellCount, cpu.get(COUNT));
          } else {
            cpu.store(cellCount, cpu.get(COUNT));
            cpu.release(cell, lease);
          }
        });
    if (!has(Slip.TAKEN_AFTER_END)) {
      end(p);
    }
  }

  private void begin(Program p) {
    p.step(
        "opens a section",
        cpu -> {
          cpu.set(NEWER, cpu.load(changed));
          int opened = cpu.load(state) | OPEN;
          if (has(Slip.NO_FENCE_AT_BEGIN)) {
            cpu.release(state, opened);
          } else {
            cpu.storeVolatile(state, opened);
          }
        });
  }

  private void end(Program p) {
    p.step("ends the section", cpu -> cpu.release(state, cpu.load(state) + 1));
  }

  private void invalidation() {
    Program p = thread("invalidation");
    count.begin(p, NUMBER);
    p.step("empties the slot", cpu -> cpu.release(slot, EMPTY));
    p.step(
        "counts the end",
        cpu -> {
          int end = count.end(cpu);
          if (!has(Slip.FIRST_COUNT_ASKED)) {
            cpu.set(NUMBER, has(Slip.ALL_LEASES_ASKED) ? 8 : end);
          }
          cpu.storeVolatile(changed, 1);
        });
    if (has(Slip.LATER_COUNT_ASKED)) {
      p.step("reads the count", cpu -> cpu.set(NUMBER, count.load(cpu)));
    }
    if (!has(Slip.LEASES_BEFORE_SECTIONS)) {
      awaitSection(p, "leases");
    }
    // Step 5.
    p.label("leases");
    p.step(
        "looks at the cell",
        cpu -> {
          cpu.set(SEEN, cpu.load(cell));
          cpu.goIf(cpu.get(SEEN) == 0 || has(Slip.NO_WAIT), "uses");
        });
    p.step(
        "looks at its particulars",
        cpu -> cpu.goIf(cpu.load(cellCount) >= cpu.get(NUMBER), "uses"));
    if (has(Slip.WORD_READ_TWICE)) {
      p.step("looks at the cell again", cpu -> cpu.set(SEEN, cpu.load(cell)));
    } else {
      p.step(
          "is it still the same lease", cpu -> cpu.goIf(cpu.load(cell) != cpu.get(SEEN), "uses"));
    }
    waits.await(p, 0, SEEN, "drain");
    p.label("uses");
    // Step 6 is LeaseEndScenario's: here, who uses the lease also gives it back.
    waits.countDown(p, 0);
    if (has(Slip.LEASES_BEFORE_SECTIONS)) {
      awaitSection(p, "through");
    }
    p.label("through");
    p.step("is done", Processor::forget);
  }

  /// Step 4; [SectionScenario] has how one waits without blocking.
  private void awaitSection(Program p, String next) {
    p.step(
        "looks at the section",
        cpu -> {
          cpu.set(SEEN, cpu.load(state));
          cpu.goIf((cpu.get(SEEN) & OPEN) == 0, next);
        });
    p.when("the section is over", cpu -> cpu.load(state) != cpu.get(SEEN), _ -> {});
  }

  @Override
  void written(State now, int variable, int value) {
    check(
        variable != oldPage || now.memory(completions) == 0,
        "a use of the mapping reaches the old page after the completion");
    check(variable != completions || value == 1, "the invalidation completes twice");
  }

  @Override
  void ended(State now) {
    check(now.memory(completions) == 1, "the invalidation does not complete");
  }
}
