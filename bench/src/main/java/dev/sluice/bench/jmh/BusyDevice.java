package dev.sluice.bench.jmh;

import dev.sluice.dma.DmaContext;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// A device on a thread of its own that reads and writes in turn, without a pause.
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init") // JMH calls the setup.
public class BusyDevice {
  private Thread thread;
  private volatile boolean stopped;
  private volatile boolean working;
  private volatile @Nullable Throwable failure;

  /// Caches every page, starts it, and returns when it is at work.
  @Setup
  public void start(Bed bed) {
    DmaContext context = bed.addDevice();
    bed.cacheAllPages(context);
    thread = Thread.ofPlatform().daemon().name("busy device").start(() -> run(bed, context));
    while (!working && failure == null) {
      Thread.onSpinWait();
    }
  }

  private void run(Bed bed, DmaContext context) {
    MemorySegment buffer = Arena.ofAuto().allocate(Device.BUFFER_BYTES, Device.CACHE_LINE);
    try {
      while (!stopped) {
        round(bed, context, buffer);
        working = true;
      }
    } catch (RuntimeException | Error e) {
      failure = e;
    }
  }

  private static void round(Bed bed, DmaContext context, MemorySegment buffer) {
    AddressStream stream = bed.stream;
    long base = stream.base();
    long step = stream.step();
    long mask = stream.mask();
    long bytes = bed.bytes;
    long at = 0;
    for (int i = bed.operations; i > 0; i--) {
      at = (at + step) & mask;
      Outcome.require(context.read(base + at, buffer, 0, bytes));
      Outcome.require(context.write(base + at, buffer, 0, bytes));
    }
  }

  /// Stops it.
  @TearDown
  public void stop() throws InterruptedException {
    stopped = true;
    thread.join();
    Throwable why = failure;
    if (why != null) {
      throw new IllegalStateException("the busy device was refused", why);
    }
  }
}
