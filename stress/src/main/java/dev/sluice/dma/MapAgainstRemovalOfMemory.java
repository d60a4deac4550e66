package dev.sluice.dma;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.sluice.iommu.AbortReason;
import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Revocation;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.RamRegion;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/// A device maps memory that is being removed, and never lets go by itself; its patience is none.
/// The removal drains all the same.
@JCStressTest
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "Mapped and taken away, or refused.")
@Outcome(expect = FORBIDDEN, desc = "The removal did not drain once, or the mapping stayed live.")
@State
public class MapAgainstRemovalOfMemory {
  private static final RequesterId DEVICE = new RequesterId(0x28);
  private static final MemorySegment BYTES = Arena.global().allocate(64, 8);

  private final GuestMemory memory = new GuestMemory();
  private final DmaContext dma = DmaContext.direct(memory, DEVICE);
  private final AtomicInteger drained = new AtomicInteger();
  private MapResult mapped =
      new TargetAbort(DEVICE, Endpoint.NO_PASID, 0, Access.READ, AbortReason.NO_MEMORY, -1, 0);

  public MapAgainstRemovalOfMemory() {
    // Not unmapped for real: thousands of arenas would be closed a second. See LoadAgainstRemoval.
    memory.addRam(0, RamRegion.of(BYTES, true, () -> {}));
    dma.revocation(Revocation.immediately());
  }

  @Actor
  public void device() {
    mapped = dma.map(0, 64, Access.READ);
  }

  @Actor
  public void host() {
    memory.remove(0, -1, drained::incrementAndGet);
  }

  @Arbiter
  public void left(II_Result result) {
    result.r1 = drained.get();
    result.r2 = mapped instanceof Mapping mapping && mapping.isLive() ? 0 : 1;
  }
}
