package dev.sluice.iommu.model;

import java.util.Set;

/// A read by a cached translation without a section (`DmaContext.readCached`), against an
/// invalidation, another of a page that shares the slot, and a walk that fills the slot again.
///
/// *Never*: the read returns bytes that the old page's new owner has written.
final class OptimisticReadScenario extends Scenario {
  enum Slip {
    /// `DmaContext.readCached`: reads the count after the lookup.
    COUNT_AFTER_LOOKUP,
    /// `InvalidationCount.isStill`: compared before the bytes are read.
    CHECK_BEFORE_COPY,
    /// `DmaContext.readCached`: does not compare the count.
    NO_CHECK,
    /// `InvalidationCount.end`: does not count.
    COUNT_NO_END,
    /// `InvalidationCount.begin`: does not count; the slot is marked with the number before.
    COUNT_NO_BEGIN,
    /// `InvalidationCount.begin`: two invalidations empty slots at the same time.
    COUNT_TWO_AT_A_TIME,
    /// `Invalidator`: empties the slots after it has counted the end.
    DROP_AFTER_END
  }

  // What the slot holds: below PAGE the number of the invalidation that emptied it.
  private static final int PAGE = 32;
  private static final int OLD = PAGE;
  private static final int NEW = PAGE + 1;

  private static final int SECRET = 7;

  // Registers.
  private static final int COUNT = 0;
  private static final int WORD = 1;
  private static final int BYTES = 2;
  private static final int SAME = 3;

  private final Set<Slip> slips;
  private final CountPart count;
  private final int slot = variable("slot", OLD);
  private final int table = variable("table entry", OLD);
  private final int oldPage = variable("bytes of the old page", 0);

  OptimisticReadScenario(Set<Slip> slips) {
    this.slips = slips;
    count = new CountPart(this, countSlip());
    read();
    walk();
    Program ours = thread("invalidation of the page");
    ours.step("the guest changes the table", cpu -> cpu.storeVolatile(table, NEW));
    invalidate(ours);
    ours.step("the new owner writes to the old page", cpu -> cpu.store(oldPage, SECRET));
    ours.step("is done", Processor::forget);
    Program other = thread("invalidation of another page in the slot");
    invalidate(other);
    other.step("is done", Processor::forget);
  }

  private boolean has(Slip slip) {
    return slips.contains(slip);
  }

  private CountPart.Slip countSlip() {
    for (Slip slip : slips) {
      if (slip.name().startsWith("COUNT_NO") || slip == Slip.COUNT_TWO_AT_A_TIME) {
        return CountPart.Slip.valueOf(slip.name().substring("COUNT_".length()));
      }
    }
    return CountPart.Slip.NONE;
  }

  private void read() {
    Program p = thread("read");
    if (has(Slip.COUNT_AFTER_LOOKUP)) {
      p.step("looks up", cpu -> cpu.set(WORD, cpu.load(slot)));
      p.step("reads the count", cpu -> cpu.set(COUNT, count.load(cpu)));
    } else {
      p.step("reads the count", cpu -> cpu.set(COUNT, count.load(cpu)));
      p.step("looks up", cpu -> cpu.set(WORD, cpu.load(slot)));
    }
    if (has(Slip.CHECK_BEFORE_COPY)) {
      compare(p);
    }
    p.step(
        "reads the bytes",
        cpu -> {
          if (cpu.get(WORD) == OLD) {
            cpu.set(BYTES, cpu.load(oldPage));
          }
        });
    if (!has(Slip.CHECK_BEFORE_COPY)) {
      compare(p);
    }
    p.step(
        "returns if the count is the same",
        cpu -> {
          boolean returned = cpu.get(SAME) == 1 || has(Slip.NO_CHECK);
          cpu.check(
              !returned || cpu.get(BYTES) != SECRET, "the read returns bytes of the new owner");
          cpu.forget();
        });
  }

  private void compare(Program p) {
    p.step(
        "reads the count again", cpu -> cpu.set(SAME, count.load(cpu) == cpu.get(COUNT) ? 1 : 0));
  }

  /// A walk that finds the slot emptied; [WalkScenario] has the others.
  private void walk() {
    Program p = thread("walk");
    p.step("reads the count", cpu -> cpu.set(COUNT, count.load(cpu)));
    p.step("reads the table", cpu -> cpu.set(BYTES, cpu.load(table)));
    p.step(
        "looks at the slot",
        cpu -> {
          cpu.set(WORD, cpu.load(slot));
          cpu.goIf(cpu.get(WORD) >= PAGE || cpu.get(WORD) > cpu.get(COUNT), "done");
        });
    p.step("inserts", cpu -> cpu.compareAndSet(slot, cpu.get(WORD), cpu.get(BYTES)));
    p.label("done");
    p.step("is done", Processor::forget);
  }

  private void invalidate(Program p) {
    count.begin(p, COUNT);
    if (has(Slip.DROP_AFTER_END)) {
      count.end(p, SAME);
    }
    p.step("empties the slot", cpu -> cpu.release(slot, cpu.get(COUNT)));
    if (has(Slip.DROP_AFTER_END)) {
      p.step("makes that visible", Processor::fullFence);
    } else {
      count.end(p, SAME);
    }
  }
}
