package dev.sluice.testkit.soak;

import dev.sluice.dma.DmaContext;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.Access;
import java.util.List;
import java.util.SplittableRandom;

/// One PCI function of the soaked machine, used by several threads.
///
/// @param index among all, 0 to 63
/// @param dma its way to memory
/// @param runs what its address space has; data first, then counters if there are any
/// @param revocation how long its mappings may keep the guest waiting
record Requester(int index, DmaContext dma, List<SlotRun> runs, Revocation revocation) {
  Requester {
    runs = List.copyOf(runs);
    dma.revocation(revocation);
    for (SlotRun run : runs) {
      for (Slot slot : run.slots()) {
        slot.addWriter(index);
      }
    }
  }

  /// Whether its mappings may be taken away while they are open.
  boolean revocable() {
    return revocation.patience() != null;
  }

  SlotRun anyRun(SplittableRandom random) {
    return runs.get(random.nextInt(runs.size()));
  }

  /// A run of data; every requester has one.
  SlotRun dataRun(SplittableRandom random) {
    SlotRun run = anyRun(random);
    return run.counters() ? runs.getFirst() : run;
  }

  /// Something to be allowed or refused.
  static Access anyAccess(SplittableRandom random) {
    return switch (random.nextInt(3)) {
      case 0 -> Access.READ;
      case 1 -> Access.WRITE;
      default -> Access.READ_WRITE;
    };
  }

  @Override
  public String toString() {
    return dma.requester().toString();
  }
}
