package dev.sluice.iommu.model;

import java.util.Set;

/// The first sections of two threads on an endpoint, against an invalidation: `ThreadSections`,
/// `Endpoint.isQuiet`.
///
/// *Never*: a write reaches the old page after the completion.
final class NewSectionScenario extends Scenario {
  enum Slip {
    /// `ThreadSections.add`: the section opens before it is among all.
    OPENED_BEFORE_ADDED,
    /// `ThreadSections.add`: without the lock.
    ADDED_WITHOUT_LOCK,
    /// `Endpoint.isQuiet`: takes the sections that there were before the drop.
    SECTIONS_BEFORE_DROP
  }

  private static final int OLD = 1;
  private static final int DATA = 9;
  private static final int DEVICES = 2;

  // Registers.
  private static final int ALL = 0;
  private static final int WORD = 1;
  private static final int SEEN = 2;

  private final Set<Slip> slips;
  private final SectionPart[] sections = new SectionPart[DEVICES];
  private final int all = variable("all sections", 0);
  private final int lock = variable("lock of the sections", 0);
  private final int slot = variable("slot", OLD);
  private final int page = variable("old page", 0);
  private final int completed = variable("completed", 0);

  NewSectionScenario(Set<Slip> slips) {
    this.slips = slips;
    for (int i = 0; i < DEVICES; i++) {
      sections[i] = new SectionPart(this, "thread " + i);
      device(i);
    }
    invalidate();
  }

  private boolean has(Slip slip) {
    return slips.contains(slip);
  }

  private void device(int number) {
    Program p = thread("device's thread " + number);
    if (has(Slip.OPENED_BEFORE_ADDED)) {
      sections[number].begin(p);
      p.step("looks up", cpu -> cpu.set(WORD, cpu.load(slot)));
      add(p, number);
    } else {
      add(p, number);
      sections[number].begin(p);
      p.step("looks up", cpu -> cpu.set(WORD, cpu.load(slot)));
    }
    p.step(
        "writes to the page it found",
        cpu -> {
          if (cpu.get(WORD) == OLD) {
            cpu.store(page, DATA);
          }
        });
    sections[number].end(p);
    p.step("is done", Processor::forget);
  }

  private void add(Program p, int number) {
    boolean locked = !has(Slip.ADDED_WITHOUT_LOCK);
    if (locked) {
      p.lock("takes the lock", lock);
    }
    p.step("reads all sections", cpu -> cpu.set(ALL, cpu.load(all)));
    p.step("adds its own", cpu -> cpu.storeVolatile(all, cpu.get(ALL) | 1 << number));
    if (locked) {
      p.unlock("gives the lock back", lock);
    }
  }

  private void invalidate() {
    Program p = thread("invalidation");
    if (has(Slip.SECTIONS_BEFORE_DROP)) {
      p.step("reads all sections", cpu -> cpu.set(ALL, cpu.load(all)));
    }
    p.step("empties the slot", cpu -> cpu.release(slot, 0));
    p.step("counts again", Processor::fullFence);
    if (!has(Slip.SECTIONS_BEFORE_DROP)) {
      p.step("reads all sections", cpu -> cpu.set(ALL, cpu.load(all)));
    }
    for (int i = 0; i < DEVICES; i++) {
      int bit = 1 << i;
      p.step(
          "is section " + i + " among them",
          cpu -> cpu.goIf((cpu.get(ALL) & bit) == 0, "after " + bit));
      sections[i].await(p, SEEN, SectionPart.ANY, "over " + bit);
      p.label("after " + bit);
    }
    p.step("completes", cpu -> cpu.storeVolatile(completed, 1));
  }

  @Override
  void written(State now, int variable, int value) {
    check(
        variable != page || now.memory(completed) == 0,
        "the write reaches the old page after the completion");
  }
}
