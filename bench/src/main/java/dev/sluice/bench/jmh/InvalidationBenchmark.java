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
import org.openjdk.jmh.annotations.TearDown;

/// Invalidations, from the model's call to the completion. Sampled round by round, as what is
/// between the rounds is no part of them; the clock's own time is in a sample.
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class InvalidationBenchmark extends MeasuredThread {
  /// How many pages one round invalidates, before they are cached again.
  public static final int PAGES_OF_A_ROUND = 256;

  private static final int PAGE = 4096;
  private static final Invalidation EVERYTHING = Invalidation.ofTranslations();

  /// A cache that is full when a round begins. Neither the filling nor what it allocates counts.
  @State(Scope.Thread)
  public static class Rounds {
    /// Counts the completions.
    final Runnable completed = () -> this.completions++;

    private final Device device = new Device();
    private long invalidations;
    private long completions;
    private long completionsBefore;
    private long allocatedBefore;

    /// Attaches the device, and makes the compiler's acquaintance with an invalidation of
    /// everything, which the rounds are too few for.
    @Setup(Level.Trial)
    public void prepare(Bed bed, SharedDevice one) {
      device.prepare(bed, one);
      for (int i = 0; i < 20_000; i++) {
        invalidateEverything(bed.invalidator(), completed);
        Outcome.require(device.context.check(bed.stream.base(), 1, Access.READ_WRITE));
      }
    }

    /// Caches every page.
    @Setup(Level.Invocation)
    public void begin(Bed bed) {
      bed.cacheAllPages(device.context);
      completionsBefore = completions;
      allocatedBefore = MeasuredThread.allocatedSoFar();
    }

    /// Counts, and insists that each invalidation has completed: nothing was in flight.
    @TearDown(Level.Invocation)
    public void end() {
      MeasuredThread.countRound(MeasuredThread.allocatedSoFar() - allocatedBefore, invalidations);
      if (completions - completionsBefore != invalidations) {
        throw new IllegalStateException("not complete though nothing was in flight");
      }
    }
  }

  /// Invalidates pages one by one while nothing is in flight; each completes before the next.
  @Benchmark
  public long page(Bed bed, Rounds rounds) {
    Invalidator invalidator = bed.invalidator();
    Runnable completed = rounds.completed;
    AddressStream stream = bed.stream;
    long base = stream.base();
    long step = stream.step();
    long mask = stream.mask();
    long at = 0;
    for (int i = PAGES_OF_A_ROUND; i > 0; i--) {
      at = (at + step) & mask;
      invalidatePage(invalidator, base + at, completed);
    }
    rounds.invalidations = PAGES_OF_A_ROUND;
    return at;
  }

  /// Invalidates everything that is cached.
  @Benchmark
  public void everything(Bed bed, Rounds rounds) {
    invalidateEverything(bed.invalidator(), rounds.completed);
    rounds.invalidations = 1;
  }

  /// Completions that may run on the other thread.
  @State(Scope.Thread)
  public static class Handshake {
    final AtomicLong completed = new AtomicLong();
    final Runnable one = () -> completed.setRelease(completed.getPlain() + 1);
    private long at;
  }

  /// Invalidates one page, and waits for the completion, while another thread reads and writes the
  /// same pages without a pause.
  @Benchmark
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

  private static void invalidateEverything(Invalidator invalidator, Runnable completed) {
    invalidator.invalidate(EVERYTHING, completed);
  }
}
