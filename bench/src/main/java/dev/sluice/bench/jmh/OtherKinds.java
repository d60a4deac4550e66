package dev.sluice.bench.jmh;

import dev.sluice.dma.DmaContext;
import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Invalidation;
import dev.sluice.iommu.Invalidator;
import dev.sluice.iommu.Iommu;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Translation;
import dev.sluice.memory.Access;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Devices behind other kinds of IOMMU, and behind none, that use the same code before a row is
/// measured: what the compiler has learnt by then is that it may be any of them.
final class OtherKinds {
  /// Enough for every compiler of the JVM.
  private static final int ACCESSES = 30_000;

  private static final int BYTES = 64;

  private OtherKinds() {}

  static void answer(VtdMachine machine, LinearIommu wide) {
    RequesterId requester = RequesterId.of(0, 31, 7);
    Iommu relay = new Relay(wide);
    List<DmaContext> contexts =
        List.of(
            DmaContext.behind(wide, machine.memory(), requester),
            DmaContext.behind(relay, machine.memory(), requester),
            DmaContext.direct(machine.memory(), requester));
    MemorySegment buffer = Arena.ofAuto().allocate(BYTES, BYTES);
    for (int i = 0; i < ACCESSES; i++) {
      for (DmaContext context : contexts) {
        boolean direct = context == contexts.getLast();
        long address = direct ? VtdMachine.RAM_PAGES : LinearIommu.WIDE;
        Outcome.require(context.read(address, buffer, 0, BYTES));
        Outcome.require(context.write(address, buffer, 0, BYTES));
      }
      wide.invalidator().invalidate(Invalidation.ofTranslations(), () -> {});
    }
    contexts.forEach(DmaContext::close);
  }

  /// A kind of its own that leaves the work to another.
  private record Relay(Iommu other) implements Iommu {
    @Override
    public Invalidator invalidator() {
      return other.invalidator();
    }

    @Override
    public Translation translate(Endpoint endpoint, long iova, Access access) {
      return other.translate(endpoint, iova, access);
    }

    @Override
    public void report(Endpoint endpoint, long iova, Access access, Translation.Fault fault) {
      other.report(endpoint, iova, access, fault);
    }

    @Override
    public void interrupt(Endpoint endpoint, long address, int data) {
      other.interrupt(endpoint, address, data);
    }
  }
}
