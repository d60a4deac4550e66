package dev.sluice.testkit.contract;

import dev.sluice.dma.DmaContext;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// A device that writes to the same addresses over and over, refused or not, until it is told to
/// stop: what a driver that died has left behind.
final class BusyDevice implements AutoCloseable {
  private static final long LOST_AFTER_SECONDS = 30;

  private final Semaphore moved = new Semaphore(0);
  private final Semaphore refused = new Semaphore(0);
  private final Running thread;
  private volatile boolean stopped;

  private BusyDevice(DmaContext context, long iova, long bytes) {
    thread = Running.start(() -> run(context, iova, bytes));
  }

  /// Starts one.
  static BusyDevice start(DmaContext context, long iova, long bytes) {
    return new BusyDevice(context, iova, bytes);
  }

  private void run(DmaContext context, long iova, long bytes) {
    while (!stopped) {
      boolean all = context.fill(iova, bytes, (byte) 0x5A) == null;
      (all ? moved : refused).release();
    }
  }

  /// Returns when so many more transfers have moved all their bytes.
  void awaitMoved(int transfers) {
    await(moved, transfers);
  }

  /// Returns when so many more transfers were refused.
  void awaitRefused(int transfers) {
    await(refused, transfers);
  }

  private static void await(Semaphore done, int transfers) {
    done.drainPermits();
    try {
      if (!done.tryAcquire(transfers, LOST_AFTER_SECONDS, TimeUnit.SECONDS)) {
        throw new AssertionError("waited in vain for the device");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while a device works", e);
    }
  }

  /// Tells the device to stop, and returns when it has.
  @Override
  public void close() {
    stopped = true;
    thread.join();
  }
}
