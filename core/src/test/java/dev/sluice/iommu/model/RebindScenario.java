package dev.sluice.iommu.model;

import java.util.Set;

/// An endpoint that is moved from domain 1 to domain 2 while its device writes, and a change in
/// domain 2 at the same time: `Endpoint.bind` and `unbindIf`, the sections of `DmaContext`, steps 1
/// to 4 of `Invalidator`.
///
/// *Never*: the write reaches domain 1's page after the move has completed, or domain 2's old page
/// after its invalidation has. The endpoint is bound to domain 1 after the move.
final class RebindScenario extends Scenario {
  enum Slip {
    /// `DmaContext.writeCached`: does not ask again which space it is after the section has begun.
    SPACE_ASKED_ONCE,
    /// `DmaContext.writeCached`: asks the model within the section of one address space.
    MISS_UNDER_THE_TAG,
    /// `Endpoint.bind`: ignores its ticket.
    TICKET_IGNORED,
    /// `Endpoint.bindTicket`: taken after the requester's entry is read.
    TICKET_AFTER_ENTRY,
    /// `Endpoint.bind`: compares its ticket outside the lock.
    TICKET_OUTSIDE_LOCK,
    /// `Endpoint.unbindIf`: does not count.
    UNBINDING_NOT_COUNTED,
    /// `Invalidator`: waits for the sections and then takes the binding away.
    UNBINDS_LAST
  }

  private static final int NOWHERE = 0;
  private static final int DATA = 9;

  // Registers.
  private static final int SPACE = 0;
  private static final int TICKET = 1;
  private static final int DOMAIN = 2;
  private static final int TARGET = 3;
  private static final int SEEN = 4;

  private final Set<Slip> slips;
  private final SectionPart section = new SectionPart(this, "the device");
  private final int entry = variable("the requester's entry", 1);
  private final int space = variable("space of the endpoint", 1);
  private final int unbindings = variable("unbindings", 0);
  private final int lock = variable("lock of the endpoint", 0);
  private final int cached = variable("domain 1 has the page cached", 1);
  private final int mapped = variable("domain 2 maps its old page", 1);
  private final int[] page = {
    -1, variable("page of domain 1", 0), variable("old page of domain 2", 0)
  };
  private final int moved = variable("the move has completed", 0);
  private final int changed = variable("domain 2's invalidation has completed", 0);

  RebindScenario(Set<Slip> slips) {
    this.slips = slips;
    device();
    guest();
    otherProcessor();
    thread("eviction").step("drops the page of domain 1", cpu -> cpu.storeVolatile(cached, 0));
  }

  private boolean has(Slip slip) {
    return slips.contains(slip);
  }

  private void device() {
    Program p = thread("device");
    p.step(
        "which space",
        cpu -> {
          cpu.set(SPACE, cpu.load(space));
          cpu.goIf(cpu.get(SPACE) == NOWHERE, "in full");
        });
    section.begin(p, SPACE);
    if (!has(Slip.SPACE_ASKED_ONCE)) {
      p.step("still this space", cpu -> cpu.goIf(cpu.load(space) != cpu.get(SPACE), "leave"));
    }
    p.step(
        "looks up",
        cpu -> {
          if (cpu.get(SPACE) == 1 && cpu.load(cached) == 1) {
            cpu.store(page[1], DATA);
          } else {
            cpu.go(has(Slip.MISS_UNDER_THE_TAG) ? "ask" : "leave");
          }
        });
    section.end(p);
    p.step("is done", cpu -> cpu.go("done"));
    p.label("leave");
    section.end(p);
    p.label("in full");
    section.beginAny(p);
    p.label("ask");
    askTheModel(p);
    p.step(
        "writes",
        cpu -> {
          if (cpu.get(TARGET) != NOWHERE) {
            cpu.store(page[cpu.get(TARGET)], DATA);
          }
        });
    section.end(p);
    p.label("done");
    p.step("is done", Processor::forget);
  }

  /// The requester's entry, the binding, the walk.
  private void askTheModel(Program p) {
    if (!has(Slip.TICKET_AFTER_ENTRY)) {
      p.step("takes a ticket", cpu -> cpu.set(TICKET, cpu.load(unbindings)));
    }
    p.step("reads the entry", cpu -> cpu.set(DOMAIN, cpu.load(entry)));
    if (has(Slip.TICKET_AFTER_ENTRY)) {
      p.step("takes a ticket", cpu -> cpu.set(TICKET, cpu.load(unbindings)));
    }
    if (has(Slip.TICKET_OUTSIDE_LOCK)) {
      p.step(
          "is the ticket good", cpu -> cpu.goIf(cpu.load(unbindings) != cpu.get(TICKET), "walk"));
    }
    p.lock("takes the lock", lock);
    p.step(
        "binds",
        cpu -> {
          if (cpu.load(unbindings) == cpu.get(TICKET)
              || has(Slip.TICKET_IGNORED)
              || has(Slip.TICKET_OUTSIDE_LOCK)) {
            cpu.store(space, cpu.get(DOMAIN));
          }
        });
    p.unlock("gives the lock back", lock);
    p.label("walk");
    p.step(
        "walks",
        cpu -> cpu.set(TARGET, cpu.get(DOMAIN) == 1 ? 1 : cpu.load(mapped) == 1 ? 2 : NOWHERE));
  }

  private void guest() {
    Program p = thread("guest");
    p.step("moves the requester", cpu -> cpu.storeVolatile(entry, 2));
    if (!has(Slip.UNBINDS_LAST)) {
      unbind(p);
    }
    p.step("counts again", Processor::fullFence);
    section.await(p, SEEN, SectionPart.ANY, "drained");
    if (has(Slip.UNBINDS_LAST)) {
      unbind(p);
    }
    p.step("the move completes", cpu -> cpu.storeVolatile(moved, 1));
  }

  private void otherProcessor() {
    Program p = thread("guest's other processor");
    p.step("takes the page out of domain 2", cpu -> cpu.storeVolatile(mapped, 0));
    section.await(p, SEEN, 2, "drained");
    p.step("the invalidation completes", cpu -> cpu.storeVolatile(changed, 1));
  }

  private void unbind(Program p) {
    p.lock("takes the lock of the endpoint", lock);
    p.step(
        "takes the binding away",
        cpu -> {
          if (!has(Slip.UNBINDING_NOT_COUNTED)) {
            cpu.store(unbindings, cpu.load(unbindings) + 1);
          }
          cpu.store(space, NOWHERE);
        });
    p.unlock("gives the lock of the endpoint back", lock);
  }

  @Override
  void written(State now, int variable, int value) {
    check(
        variable != page[1] || now.memory(moved) == 0,
        "the write reaches domain 1 after the requester has left it");
    check(
        variable != page[2] || now.memory(changed) == 0,
        "the write reaches domain 2's old page after the completion");
    check(
        now.memory(moved) == 0 || now.memory(space) != 1,
        "the endpoint is bound to domain 1 after it has left it");
  }
}
