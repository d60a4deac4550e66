package dev.sluice.testkit.soak;

import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// How the soak's guests wait for their hardware.
public final class Waiting {
  /// Nothing that is waited for takes longer than milliseconds; beyond this a completion is lost.
  private static final long LOST_AFTER_NANOS = 60_000_000_000L;

  private static final int SPINS = 200;
  private static final long PAUSE_NANOS = 1_000;

  private final Referee referee;

  Waiting(Referee referee) {
    this.referee = referee;
  }

  /// Returns when the hardware has done something.
  ///
  /// @param what for the message when it never does
  public void until(BooleanSupplier done, String what) {
    for (int i = 0; i < SPINS; i++) {
      if (done.getAsBoolean()) {
        return;
      }
      Thread.onSpinWait();
    }
    long began = System.nanoTime();
    while (!done.getAsBoolean()) {
      if (System.nanoTime() - began > LOST_AFTER_NANOS) {
        throw new SoakFailure("still waiting after a minute: " + what);
      }
      referee.checkGoingOn();
      pause();
    }
  }

  /// Leaves the processor to the devices for a while: some 50 us, as Linux counts.
  void pause() {
    LockSupport.parkNanos(PAUSE_NANOS);
  }
}
