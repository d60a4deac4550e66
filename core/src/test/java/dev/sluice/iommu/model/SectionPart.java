package dev.sluice.iommu.model;

/// `AccessSection` as a part of scenarios that are about something else: one section, and a wait
/// that simply waits. [SectionScenario] has how its beginning and end are ordered and how one waits
/// without blocking.
final class SectionPart {
  /// A section that may touch every address space.
  static final int ANY = 0;

  private static final int OPEN = 1;

  private final int state;
  private final int tag;

  SectionPart(Scenario scenario, String name) {
    state = scenario.variable("state of " + name, 0);
    tag = scenario.variable("tag of " + name, ANY);
  }

  void begin(Program p) {
    p.step("begins a section", cpu -> cpu.storeVolatile(state, cpu.load(state) | OPEN));
  }

  /// With a tag from a register.
  void begin(Program p, int tagRegister) {
    p.step("says which address space", cpu -> begin(cpu, cpu.get(tagRegister)));
  }

  /// For any address space, after one that begins with a tag.
  void beginAny(Program p) {
    p.step("says that it may be any address space", cpu -> begin(cpu, ANY));
  }

  private void begin(Processor cpu, int ofTag) {
    cpu.storeStoreFence();
    cpu.store(tag, ofTag);
    cpu.storeVolatile(state, cpu.load(state) | OPEN);
  }

  /// Without a fence, as a slip.
  void beginWithoutFence(Program p) {
    p.step("begins a section", cpu -> cpu.release(state, cpu.load(state) | OPEN));
  }

  void end(Program p) {
    p.step("ends the section", cpu -> cpu.release(state, cpu.load(state) + 1));
  }

  /// Waits for the section if it is open and may touch the address space.
  ///
  /// @param seen a register
  void await(Program p, int seen, int ofTag, String next) {
    p.step(
        "looks at the section",
        cpu -> {
          cpu.set(seen, cpu.load(state));
          cpu.goIf((cpu.get(seen) & OPEN) == 0, next);
        });
    p.step(
        "looks at its address space",
        cpu -> {
          int meant = cpu.load(tag);
          cpu.goIf(meant != ANY && ofTag != ANY && meant != ofTag, next);
        });
    p.when("it is over", cpu -> cpu.load(state) != cpu.get(seen), _ -> {});
    p.label(next);
    p.step("goes on", cpu -> cpu.set(seen, 0));
  }
}
