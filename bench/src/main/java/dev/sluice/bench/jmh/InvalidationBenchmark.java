package dev.sluice.bench.jmh;

import dev.sluice.iommu.Invalidation;
import dev.sluice.iommu.Invalidator;
import dev.sluice.memory.Access;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// Invalidations, from the model's call to the completion.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class InvalidationBenchmark {
  /// How many pages one round invalidates, before they are cached again.
  public static final int PAGES_OF_A_ROUND = 256;

  private static final int PAGE = 4096;

  /// Completions that run on the thread that invalidates.
  @State(Scope.Thread)
  public static class Completions {
    long count;
    final Runnable one = () -> count++;
  }

  /// A cache that is full when a round begins. Filling it is not timed.
  @State(Scope.Thread)
  public static class Refilled {
    /// Makes the compiler's acquaintance with an invalidation of everything, which the rounds are
    /// too few for.
    @Setup(Level.Trial)
    public void warm(Bed bed, Device device, Completions completions) {
      for (int i = 0; i < 20_000; i++) {
        invalidateAll(bed.invalidator(), completions);
        Outcome.require(device.context.check(bed.stream.base(), 1, Access.READ_WRITE));
      }
    }

    /// Caches every page.
    @Setup(Level.Invocation)
    public void refill(Bed bed, Device device) {
      bed.cacheAllPages(device.context);
    }
  }

  /// Invalidates pages one by one while nothing is in flight; each completes before the next.
  @Benchmark
  public long page(Bed bed, Refilled refilled, Completions completions, OwnAllocation allocation) {
    Invalidator invalidator = bed.invalidator();
    AddressStream stream = bed.stream;
    long base = stream.base();
    long step = stream.step();
    long mask = stream.mask();
    long before = completions.count;
    long at = 0;
    for (int i = PAGES_OF_A_ROUND; i > 0; i--) {
      at = (at + step) & mask;
      invalidatePage(invalidator, base + at, completions.one);
    }
    if (completions.count - before != PAGES_OF_A_ROUND) {
      throw new IllegalStateException("not complete though nothing was in flight");
    }
    allocation.operations(PAGES_OF_A_ROUND);
    return before;
  }

  /// Invalidates everything that is cached.
  @Benchmark
  public long everything(
      Bed bed, Refilled refilled, Completions completions, OwnAllocation allocation) {
    long before = completions.count;
    invalidateAll(bed.invalidator(), completions);
    if (completions.count == before) {
      throw new IllegalStateException("not complete though nothing was in flight");
    }
    allocation.operations(1);
    return before;
  }

  /// Completions that may run on the other thread.
  @State(Scope.Thread)
  public static class Handshake {
    final AtomicLong completed = new AtomicLong();
    final Runnable one = () -> completed.setRelease(completed.getPlain() + 1);
    private long at;
  }

  /// Invalidates one page, and waits for the completion, while another thread reads and writes the
  /// same pages without a pause. Sampled: the time has the clock's own in it.
  @Benchmark
  @BenchmarkMode(Mode.SampleTime)
  public long pageUnderLoad(Bed bed, BusyDevice busy, Handshake handshake) {
    AddressStream stream = bed.stream;
    handshake.at = (handshake.at + stream.step()) & stream.mask();
    long wanted = handshake.completed.getPlain() + 1;
    invalidatePage(bed.invalidator(), stream.base() + handshake.at, handshake.one);
    while (handshake.completed.getAcquire() != wanted) {
      Thread.onSpinWait();
    }
    return wanted;
  }

  private static void invalidatePage(Invalidator invalidator, long iova, Runnable completed) {
    invalidator.invalidate(VtdMachine.DOMAIN, iova, iova + (PAGE - 1), completed);
  }

  private static void invalidateAll(Invalidator invalidator, Completions completions) {
    invalidator.invalidate(Invalidation.ofTranslations(), completions.one);
  }
}
