package dev.sluice.iommu.model;

import java.util.Set;

/// Walks that insert into one slot of an `Iotlb`, against invalidations of its pages.
///
/// Pages A and B share the slot. Two threads walk while the guest changes A's table entry and two
/// threads invalidate A and B.
///
/// *Never*: after the invalidation of A has emptied the slot, the old translation of A stands there
/// (again).
final class WalkScenario extends Scenario {
  enum Slip {
    /// `InvalidationCount.begin`: does not count.
    NO_BEGIN,
    /// `InvalidationCount.begin`: two invalidations empty slots at the same time.
    TWO_AT_A_TIME,
    /// `Iotlb.drop`: leaves the mark of a walk alone.
    DROP_SPARES_MARKS,
    /// `Iotlb.drop`: leaves an emptiness alone.
    DROP_SPARES_EMPTINESS,
    /// `Iotlb.ticket`: the count is read after the first table entry.
    TICKET_AFTER_TABLE,
    /// `Iotlb.ticket`: the walk makes its mark when it inserts.
    MARK_AT_INSERT,
    /// `Iotlb.ticket`: all walks have the same mark.
    SAME_MARK,
    /// `Iotlb.insert`: any emptiness will do.
    TICKET_IGNORED,
    /// `Iotlb.insert`: another walk's mark will do.
    MARK_OF_ANOTHER,
    /// `Iotlb.insert`: stores the word without comparing.
    STORE_FOR_COMPARE_AND_SET
  }

  // What the slot holds: 0 and up, emptied by the invalidation of that number; below, the mark of a
  // walk; from PAGE up, a translation.
  private static final int PAGE = 32;
  private static final int OLD = 0;
  private static final int NEW = 1;

  private static final int A = 0;
  private static final int B = 1;

  // Registers.
  private static final int TICKET = 0;
  private static final int SEEN = 1;
  private static final int FOUND = 2;
  private static final int NUMBER = 3;

  private final Set<Slip> slips;
  private final CountPart count;
  private final int slot = variable("slot", word(B, OLD));
  private final int table = variable("table entry of A", OLD);
  private final int emptied = variable("A is invalidated", 0);

  WalkScenario(Set<Slip> slips) {
    this.slips = slips;
    count =
        new CountPart(
            this,
            has(Slip.NO_BEGIN)
                ? CountPart.Slip.NO_BEGIN
                : has(Slip.TWO_AT_A_TIME) ? CountPart.Slip.TWO_AT_A_TIME : CountPart.Slip.NONE);
    walk(thread("walk of A"), "", A, -1);
    Program both = thread("walks of B, then of A");
    walk(both, "1", B, -2);
    walk(both, "2", A, -3);
    invalidation(A);
    invalidation(B);
  }

  private static int word(int page, int translation) {
    return PAGE + 2 * page + translation;
  }

  private static boolean isPage(int word) {
    return word >= PAGE;
  }

  private static boolean isEmptiedByInvalidation(int word) {
    return word >= 0 && word < PAGE;
  }

  private boolean has(Slip slip) {
    return slips.contains(slip);
  }

  /// `Iotlb.ticket`, the model's walk, `Iotlb.insert`.
  private void walk(Program p, String nth, int page, int itsMark) {
    int mark = has(Slip.SAME_MARK) ? -1 : itsMark;
    String done = "done" + nth;
    p.stepIf(
        has(Slip.TICKET_AFTER_TABLE),
        "reads the table",
        cpu -> cpu.set(FOUND, page == A ? cpu.load(table) : NEW));
    p.step("reads the count", cpu -> cpu.set(TICKET, count.load(cpu)));
    if (!has(Slip.MARK_AT_INSERT)) {
      p.step("looks at the slot", cpu -> cpu.set(SEEN, cpu.load(slot)));
      mark(p, mark, "walk" + nth);
      p.label("walk" + nth);
    }
    p.stepIf(
        !has(Slip.TICKET_AFTER_TABLE),
        "reads the table",
        cpu -> cpu.set(FOUND, page == A ? cpu.load(table) : NEW));
    if (has(Slip.MARK_AT_INSERT)) {
      p.step("looks at the slot", cpu -> cpu.set(SEEN, cpu.load(slot)));
      mark(p, mark, "insert" + nth);
      p.label("insert" + nth);
    }
    p.step(
        "inserts by its mark, or looks",
        cpu -> {
          int result = word(page, cpu.get(FOUND));
          if (cpu.get(TICKET) < 0) {
            if (has(Slip.STORE_FOR_COMPARE_AND_SET)) {
              cpu.storeVolatile(slot, result);
            } else {
              cpu.compareAndSet(slot, cpu.get(TICKET), result);
            }
            cpu.go(done);
            return;
          }
          int seen = cpu.load(slot);
          cpu.set(SEEN, seen);
          boolean allowed =
              isEmptiedByInvalidation(seen)
                  ? seen <= cpu.get(TICKET) || has(Slip.TICKET_IGNORED)
                  : !isPage(seen) && has(Slip.MARK_OF_ANOTHER);
          cpu.goIf(!allowed, done);
        });
    p.step(
        "inserts",
        cpu -> {
          int result = word(page, cpu.get(FOUND));
          if (has(Slip.STORE_FOR_COMPARE_AND_SET)) {
            cpu.storeVolatile(slot, result);
          } else {
            cpu.compareAndSet(slot, cpu.get(SEEN), result);
          }
        });
    p.label(done);
    p.step("is done", Processor::forget);
  }

  /// The walk empties a slot that no invalidation has emptied; its mark is then its ticket.
  private static void markIfNeeded(Processor cpu, int slot, int mark) {
    if (cpu.compareAndSet(slot, cpu.get(SEEN), mark)) {
      cpu.set(TICKET, mark);
    }
  }

  private void mark(Program p, int mark, String otherwise) {
    p.step(
        "empties the slot",
        cpu -> {
          if (isEmptiedByInvalidation(cpu.get(SEEN))) {
            cpu.go(otherwise);
          } else {
            markIfNeeded(cpu, slot, mark);
          }
        });
  }

  /// `Invalidator.invalidate` up to the end of its changes.
  private void invalidation(int page) {
    Program p = thread("invalidation of " + (page == A ? "A" : "B"));
    if (page == A) {
      p.step("the guest changes the table", cpu -> cpu.storeVolatile(table, NEW));
    }
    count.begin(p, NUMBER);
    p.step(
        "empties the slot",
        cpu -> {
          int held = cpu.load(slot);
          boolean spared =
              (has(Slip.DROP_SPARES_MARKS) && held < 0)
                  || (has(Slip.DROP_SPARES_EMPTINESS) && isEmptiedByInvalidation(held));
          if (!spared) {
            cpu.release(slot, cpu.get(NUMBER));
          }
        });
    count.end(p, NUMBER);
    if (page == A) {
      p.step("is through with the slot", cpu -> cpu.storeVolatile(emptied, 1));
    }
  }

  @Override
  void written(State state, int variable, int value) {
    if (variable == slot || variable == emptied) {
      check(
          state.memory(emptied) == 0 || state.memory(slot) != word(A, OLD),
          "the old translation stands in the slot after the invalidation");
    }
  }
}
