package dev.sluice.iommu;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.sluice.iommu.Translation.Page;
import dev.sluice.memory.Access;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/// A device that maps a page which it finds in the cache, against an invalidation of it: a mapping
/// that was made from the cache is waited for, whatever generation it read.
@JCStressTest
@Outcome(
    id = "[01], 1",
    expect = ACCEPTABLE,
    desc = "Over in time (0), or not cached any more (1).")
@Outcome(id = "2, 1", expect = FORBIDDEN, desc = "Mapped after the completion.")
@Outcome(expect = FORBIDDEN, desc = "No completion.")
@State
public class MapOfACachedPageAgainstInvalidation {
  private final Invalidator invalidator = Small.invalidator();
  private final Endpoint endpoint = invalidator.attach(Small.DEVICE);
  private volatile boolean completed;

  public MapOfACachedPageAgainstInvalidation() {
    Iotlb space = invalidator.space(Small.TAG);
    space.insert(Small.OLD, 0, space.ticket());
    endpoint.bind(space, endpoint.bindTicket());
  }

  @Actor
  public void device(II_Result result) {
    int section = endpoint.enter();
    long generation = endpoint.generation();
    Page page = endpoint.lookup(0, Access.READ);
    Hold hold =
        page == null ? null : endpoint.hold(Small.TAG, 0, 4095, generation, Small.RAM, () -> {});
    endpoint.leave(section);
    if (hold == null) {
      result.r1 = 1;
    } else {
      result.r1 = completed ? 2 : 0;
      hold.close();
    }
  }

  @Actor
  public void guest() {
    invalidator.invalidate(Invalidation.ofRange(Small.TAG, 0, 4095), () -> completed = true);
  }

  @Arbiter
  public void told(II_Result result) {
    result.r2 = completed ? 1 : 0;
  }
}
