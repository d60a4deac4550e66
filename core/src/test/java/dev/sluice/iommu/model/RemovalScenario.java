package dev.sluice.iommu.model;

import java.util.Set;

/// A region of RAM that goes, and another that gets its number, against a walk that inserts, a read
/// without a section and a write in one: `GuestMemory`, `Ram`, `Invalidator.removing`.
///
/// *Never*: a translation to the old region leads to the new one.
final class RemovalScenario extends Scenario {
  enum Slip {
    /// `Iotlb.ticket`: taken after the region was looked up.
    REGION_BEFORE_TICKET,
    /// `Invalidator.removing`: does not wait for sections.
    NO_WAIT,
    /// `InvalidationCount.end`: does not count.
    COUNT_NO_END,
    /// `InvalidationCount.begin`: does not count.
    COUNT_NO_BEGIN,
    /// `GuestMemory`: takes the region out of the map after the caches were dropped.
    MAP_CHANGED_LAST,
    /// `Invalidator.removing`: drops no caches.
    NO_DROP
  }

  /// What the slot holds besides the numbers of invalidations: the region's number.
  private static final int PAGE = 32;

  private static final int OLD = 1;
  private static final int NEW = 2;

  // Registers.
  private static final int COUNT = 0;
  private static final int WORD = 1;
  private static final int REGION = 2;

  private final Set<Slip> slips;
  private final SectionPart walking = new SectionPart(this, "the walk");
  private final SectionPart writing = new SectionPart(this, "the write");
  private final CountPart count;
  private final int slot = variable("slot", PAGE);
  private final int map = variable("region in the map", OLD);
  private final int numbered = variable("region with the number", OLD);

  RemovalScenario(Set<Slip> slips) {
    this.slips = slips;
    count =
        new CountPart(
            this,
            has(Slip.COUNT_NO_END)
                ? CountPart.Slip.NO_END
                : has(Slip.COUNT_NO_BEGIN) ? CountPart.Slip.NO_BEGIN : CountPart.Slip.NONE);
    walk();
    read();
    write();
    remove();
  }

  private boolean has(Slip slip) {
    return slips.contains(slip);
  }

  private void walk() {
    Program p = thread("walk");
    walking.begin(p);
    if (has(Slip.REGION_BEFORE_TICKET)) {
      region(p);
    }
    p.step("takes a ticket", cpu -> cpu.set(COUNT, count.load(cpu)));
    if (!has(Slip.REGION_BEFORE_TICKET)) {
      region(p);
    }
    p.step(
        "looks at the slot",
        cpu -> {
          cpu.set(WORD, cpu.load(slot));
          boolean allowed = cpu.get(WORD) <= cpu.get(COUNT) && cpu.get(REGION) == OLD;
          cpu.goIf(!allowed, "walked");
        });
    p.step("inserts", cpu -> cpu.compareAndSet(slot, cpu.get(WORD), PAGE));
    p.label("walked");
    walking.end(p);
    p.step("is done", Processor::forget);
  }

  private void region(Program p) {
    p.step("looks the region up", cpu -> cpu.set(REGION, cpu.load(map)));
  }

  private void read() {
    Program p = thread("read");
    p.step("reads the count", cpu -> cpu.set(COUNT, count.load(cpu)));
    p.step("looks up", cpu -> cpu.set(WORD, cpu.load(slot)));
    p.step("which region has the number", cpu -> cpu.set(REGION, cpu.load(numbered)));
    p.step(
        "reads the count again",
        cpu -> {
          cpu.check(
              cpu.get(WORD) != PAGE || cpu.get(REGION) != NEW || count.load(cpu) != cpu.get(COUNT),
              "the read returns bytes of the new region");
          cpu.forget();
        });
  }

  private void write() {
    Program p = thread("write");
    writing.begin(p);
    p.step("looks up", cpu -> cpu.set(WORD, cpu.load(slot)));
    p.step(
        "which region has the number",
        cpu ->
            cpu.check(
                cpu.get(WORD) != PAGE || cpu.load(numbered) != NEW,
                "the write reaches the new region"));
    writing.end(p);
    p.step("is done", Processor::forget);
  }

  private void remove() {
    Program p = thread("removal");
    if (!has(Slip.MAP_CHANGED_LAST)) {
      p.step("takes the region out of the map", cpu -> cpu.storeVolatile(map, 0));
    }
    count.begin(p, COUNT);
    if (!has(Slip.NO_DROP)) {
      p.step("empties the slot", cpu -> cpu.release(slot, cpu.get(COUNT)));
    }
    count.end(p, COUNT);
    if (has(Slip.MAP_CHANGED_LAST)) {
      p.step("takes the region out of the map", cpu -> cpu.storeVolatile(map, 0));
    }
    if (!has(Slip.NO_WAIT)) {
      walking.await(p, WORD, SectionPart.ANY, "walks are over");
      writing.await(p, WORD, SectionPart.ANY, "writes are over");
    }
    p.step("another region gets the number", cpu -> cpu.storeVolatile(numbered, NEW));
  }

  @Override
  void written(State now, int variable, int value) {
    check(
        now.memory(numbered) == OLD || now.memory(slot) != PAGE,
        "a translation to the old region is cached when the new one has its number");
  }
}
