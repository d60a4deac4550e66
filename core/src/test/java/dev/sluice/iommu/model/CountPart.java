package dev.sluice.iommu.model;

/// `InvalidationCount` as a part of scenarios: odd while an invalidation changes the caches, which
/// only one does at a time.
final class CountPart {
  /// What may be wrong with it.
  enum Slip {
    /// `begin`: does not count.
    NO_BEGIN,
    /// `begin`: does not wait for another's end.
    TWO_AT_A_TIME,
    /// `end`: does not count; the fence is made.
    NO_END,
    /// `end`: counts, but makes no fence.
    NO_FENCE_AT_END,
    /// No slip.
    NONE
  }

  private final int count;
  private final Slip slip;

  CountPart(Scenario scenario, Slip slip) {
    this.slip = slip;
    count = scenario.variable("count", 0);
  }

  int load(Processor cpu) {
    return cpu.load(count);
  }

  /// Puts the number of the invalidation into a register.
  void begin(Program p, int number) {
    if (slip == Slip.NO_BEGIN) {
      p.step("does not count", cpu -> cpu.set(number, cpu.load(count)));
    } else if (slip == Slip.TWO_AT_A_TIME) {
      p.step("counts", cpu -> cpu.set(number, cpu.add(count, 1)));
    } else {
      // With no end that counts, there is nothing to wait for.
      p.when(
          "counts when no other is at it",
          cpu -> cpu.load(count) % 2 == 0 || slip == Slip.NO_END,
          cpu -> cpu.set(number, cpu.add(count, 1)));
    }
  }

  /// Puts the count after the changes into a register.
  void end(Program p, int number) {
    p.step("counts the end", cpu -> cpu.set(number, end(cpu)));
  }

  int end(Processor cpu) {
    int next = cpu.load(count) + 1;
    switch (slip) {
      case NO_END -> {
        cpu.fullFence();
        return next;
      }
      case NO_FENCE_AT_END -> cpu.release(count, next);
      case TWO_AT_A_TIME -> {
        return cpu.add(count, 1);
      }
      default -> cpu.storeVolatile(count, next);
    }
    return next;
  }
}
