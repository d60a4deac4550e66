package dev.sluice.iommu.model;

import java.util.Set;

/// Writes in access sections, against two invalidations of one page: `AccessSection`, `WaitList`,
/// `Invalidator.invalidate` with steps 1 to 4.
///
/// The device writes to page A by the cached translation; then it begins a section on page B, which
/// never ends.
///
/// *Never*: the write reaches A's old page after an invalidation of A has completed. An
/// invalidation does not complete, or twice. The section on B is waited for.
final class SectionScenario extends Scenario {
  enum Slip {
    /// `AccessSection.begin`: the store of the state is no full fence.
    NO_FENCE_AT_BEGIN,
    /// `AccessSection.begin`: looks the page up before the state says that it is open.
    LOOKUP_BEFORE_BEGIN,
    /// `AccessSection.begin`: what it may touch is written after the state.
    RANGE_AFTER_STATE,
    /// `AccessSection.begin`: what it may touch may become visible before the end of the section
    /// before.
    NO_STORE_STORE_FENCE,
    /// `AccessSection.leave`: the end may become visible before the section's stores.
    PLAIN_END,
    /// `AccessSection.leave`: looks for waiters before it ends.
    LOOK_BEFORE_END,
    /// `AccessSection.leave`: does not look for waiters.
    NO_LOOK,
    /// `AccessSection.isOver`: asks whether none is open, not whether this one has ended.
    WAITS_FOR_ANY,
    /// `InvalidationCount.end`: makes no fence.
    NO_FENCE_AT_END,
    /// `Invalidator`: looks at the sections before the drop.
    SCAN_BEFORE_DROP,
    /// `Invalidator`: does not wait for sections.
    NO_WAIT,
    /// A slip of the wait list's.
    LIST_NO_BARRIER,
    LIST_BARRIER_BEFORE_ADD,
    LIST_NO_SECOND_LOOK,
    LIST_TOLD_AND_LEFT,
    LIST_FORGETS_OTHERS,
    LIST_NO_LOCK
  }

  private static final int INVALIDATIONS = 2;
  private static final int THREADS = 1 + INVALIDATIONS;

  private static final int A = 1;
  private static final int B = 2;
  private static final int OPEN = 1;
  private static final int EMPTY = 0;
  private static final int OLD = 1;

  /// What the device writes.
  private static final int DATA = 9;

  // Registers.
  private static final int SEEN = 0;
  private static final int WORD = 1;
  private static final int NUMBER = 2;

  private final Set<Slip> slips;
  private final CountPart count;
  private final int slot = variable("slot of A", OLD);
  private final int state = variable("state", 0);
  private final int range = variable("what the section may touch", 0);
  private final int page = variable("old page of A", 0);
  private final int[] completions = new int[INVALIDATIONS];
  private final WaitListPart waits;

  SectionScenario(Set<Slip> slips) {
    this.slips = slips;
    count =
        new CountPart(
            this, has(Slip.NO_FENCE_AT_END) ? CountPart.Slip.NO_FENCE_AT_END : CountPart.Slip.NONE);
    for (int i = 0; i < INVALIDATIONS; i++) {
      completions[i] = variable("completions of invalidation " + i, 0);
    }
    waits =
        new WaitListPart(
            this,
            INVALIDATIONS,
            THREADS,
            state,
            listSlip(),
            (cpu, drain) -> cpu.add(completions[drain], 1));
    device();
    for (int i = 0; i < INVALIDATIONS; i++) {
      invalidation(i);
    }
  }

  private boolean has(Slip slip) {
    return slips.contains(slip);
  }

  private WaitListPart.Slip listSlip() {
    for (Slip slip : slips) {
      if (slip.name().startsWith("LIST_")) {
        return WaitListPart.Slip.valueOf(slip.name().substring("LIST_".length()));
      }
    }
    return WaitListPart.Slip.NONE;
  }

  private void device() {
    Program p = thread("device");
    p.stepIf(has(Slip.LOOKUP_BEFORE_BEGIN), "looks A up", cpu -> cpu.set(WORD, cpu.load(slot)));
    begin(p, A);
    p.stepIf(!has(Slip.LOOKUP_BEFORE_BEGIN), "looks A up", cpu -> cpu.set(WORD, cpu.load(slot)));
    p.step(
        "writes to the page it found",
        cpu -> {
          if (cpu.get(WORD) == OLD) {
            cpu.store(page, DATA);
          }
        });
    if (has(Slip.LOOK_BEFORE_END)) {
      waits.lookAndWake(p, "leave");
      end(p);
    } else if (has(Slip.NO_LOOK)) {
      end(p);
    } else {
      end(p);
      waits.lookAndWake(p, "leave");
    }
    begin(p, B);
    p.step("stays in the section on B", Processor::forget);
  }

  /// `AccessSection.begin`.
  private void begin(Program p, int toTouch) {
    if (has(Slip.RANGE_AFTER_STATE)) {
      p.step("opens", cpu -> cpu.storeVolatile(state, cpu.load(state) | OPEN));
      p.step("says what it may touch", cpu -> cpu.store(range, toTouch));
      return;
    }
    p.step(
        "says what it may touch",
        cpu -> {
          if (!has(Slip.NO_STORE_STORE_FENCE)) {
            cpu.storeStoreFence();
          }
          cpu.store(range, toTouch);
        });
    p.step(
        "opens",
        cpu -> {
          int opened = cpu.load(state) | OPEN;
          if (has(Slip.NO_FENCE_AT_BEGIN)) {
            cpu.release(state, opened);
          } else {
            cpu.storeVolatile(state, opened);
          }
        });
  }

  /// `AccessSection.leave`.
  private void end(Program p) {
    p.step(
        "ends",
        cpu -> {
          int next = cpu.load(state) + 1;
          if (has(Slip.PLAIN_END)) {
            cpu.store(state, next);
          } else {
            cpu.release(state, next);
          }
        });
  }

  private void invalidation(int number) {
    Program p = thread("invalidation " + number);
    if (has(Slip.SCAN_BEFORE_DROP)) {
      p.step("looks at the section", cpu -> cpu.set(SEEN, cpu.load(state)));
    }
    count.begin(p, NUMBER);
    p.step("empties the slot", cpu -> cpu.release(slot, EMPTY));
    count.end(p, NUMBER);
    if (!has(Slip.SCAN_BEFORE_DROP)) {
      p.step("looks at the section", cpu -> cpu.set(SEEN, cpu.load(state)));
    }
    p.step(
        "looks at what it may touch",
        cpu ->
            cpu.goIf(
                (cpu.get(SEEN) & OPEN) == 0 || cpu.load(range) != A || has(Slip.NO_WAIT), "quiet"));
    if (has(Slip.WAITS_FOR_ANY)) {
      p.when("waits until none is open", cpu -> (cpu.load(state) & OPEN) == 0, _ -> {});
    } else {
      waits.await(p, number, SEEN, "drain " + number);
    }
    p.label("quiet");
    waits.countDown(p, number);
    p.step("is through", Processor::forget);
  }

  @Override
  void written(State now, int variable, int value) {
    if (variable == page) {
      for (int completion : completions) {
        check(now.memory(completion) == 0, "the write reaches the page after the completion");
      }
    }
    for (int completion : completions) {
      check(variable != completion || value == 1, "the invalidation completes twice");
    }
  }

  @Override
  void ended(State now) {
    for (int completion : completions) {
      check(now.memory(completion) == 1, "the invalidation does not complete");
    }
  }
}
