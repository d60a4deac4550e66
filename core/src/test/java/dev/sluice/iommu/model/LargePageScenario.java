package dev.sluice.iommu.model;

import java.util.Set;

/// Walks that find a large page, the first and another, against an invalidation:
/// `Iotlb.insertLarge`, `Iotlb.drop`.
///
/// *Never*: after the invalidation, the old translation stands in the table.
final class LargePageScenario extends Scenario {
  enum Slip {
    /// `InvalidationCount.begin`: does not count.
    NO_BEGIN,
    /// `Iotlb.insertLarge`: reads the count before the table is there for all to see.
    COUNT_BEFORE_TABLE,
    /// `Iotlb.insertLarge`: the table becomes visible some time later.
    TABLE_WITHOUT_FENCE,
    /// `Iotlb.insertLarge`: reads the count before it has the lock.
    COUNT_BEFORE_LOCK,
    /// `Iotlb.insertLarge`: ignores the ticket.
    TICKET_IGNORED,
    /// `Iotlb.insertLarge`: compares with what the last drop left.
    COMPARES_WITH_LAST_DROP,
    /// `Iotlb.ticket`: the count is read after the table entry.
    TICKET_AFTER_TABLE
  }

  private static final int OLD = 1;
  private static final int NEW = 2;

  // Registers.
  private static final int TICKET = 0;
  private static final int FOUND = 1;
  private static final int NOW = 2;

  private final Set<Slip> slips;
  private final CountPart count;
  private final int table = variable("table entry", OLD);
  private final int there = variable("the table of large pages is there", 0);
  private final int lock = variable("its lock", 0);
  private final int entry = variable("entry", 0);
  private final int lastDrop = variable("count at the last drop", 0);
  private final int invalidated = variable("invalidated", 0);

  LargePageScenario(Set<Slip> slips) {
    this.slips = slips;
    count = new CountPart(this, has(Slip.NO_BEGIN) ? CountPart.Slip.NO_BEGIN : CountPart.Slip.NONE);
    walk("one walk");
    walk("another walk");
    invalidate();
  }

  private boolean has(Slip slip) {
    return slips.contains(slip);
  }

  private void walk(String name) {
    Program p = thread(name);
    if (has(Slip.TICKET_AFTER_TABLE)) {
      p.step("reads the table", cpu -> cpu.set(FOUND, cpu.load(table)));
      ticket(p);
    } else {
      ticket(p);
      p.step("reads the table", cpu -> cpu.set(FOUND, cpu.load(table)));
    }
    if (has(Slip.COUNT_BEFORE_TABLE)) {
      readCount(p);
    }
    p.step(
        "the table of large pages has to be there",
        cpu -> {
          if (has(Slip.TABLE_WITHOUT_FENCE)) {
            cpu.store(there, 1);
          } else {
            cpu.storeVolatile(there, 1);
          }
        });
    if (has(Slip.COUNT_BEFORE_LOCK) || has(Slip.TABLE_WITHOUT_FENCE)) {
      readCount(p);
    }
    p.lock("takes the lock", lock);
    if (!has(Slip.COUNT_BEFORE_LOCK)
        && !has(Slip.COUNT_BEFORE_TABLE)
        && !has(Slip.TABLE_WITHOUT_FENCE)) {
      readCount(p);
    }
    p.step(
        "inserts if no invalidation has come",
        cpu -> {
          if (cpu.get(NOW) == cpu.get(TICKET) || has(Slip.TICKET_IGNORED)) {
            cpu.store(entry, cpu.get(FOUND));
          }
        });
    p.unlock("gives the lock back", lock);
    p.step("is done", Processor::forget);
  }

  private void ticket(Program p) {
    p.step(
        "reads the count",
        cpu ->
            cpu.set(
                TICKET, has(Slip.COMPARES_WITH_LAST_DROP) ? cpu.load(lastDrop) : count.load(cpu)));
  }

  private void readCount(Program p) {
    p.step(
        "reads the count again",
        cpu ->
            cpu.set(NOW, has(Slip.COMPARES_WITH_LAST_DROP) ? cpu.load(lastDrop) : count.load(cpu)));
  }

  private void invalidate() {
    Program p = thread("invalidation");
    p.step("the guest changes the table", cpu -> cpu.storeVolatile(table, NEW));
    count.begin(p, NOW);
    p.step("are there large pages", cpu -> cpu.goIf(cpu.load(there) == 0, "dropped"));
    p.lock("takes the lock", lock);
    p.step(
        "drops",
        cpu -> {
          cpu.store(entry, 0);
          cpu.store(lastDrop, 1);
        });
    p.unlock("gives the lock back", lock);
    p.label("dropped");
    count.end(p, NOW);
    p.step("is through with the tables", cpu -> cpu.storeVolatile(invalidated, 1));
  }

  @Override
  void written(State now, int variable, int value) {
    check(
        now.memory(invalidated) == 0 || now.memory(entry) != OLD,
        "the old translation stands in the table after the invalidation");
  }
}
