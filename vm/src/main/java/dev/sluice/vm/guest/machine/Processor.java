package dev.sluice.vm.guest.machine;

import java.time.Duration;

/// The guest's one thread: how a driver waits, and takes interrupts while it does.
public final class Processor {
  /// Looks at the condition so often before it sleeps: most devices answer at once.
  private static final int SPINS = 100;

  /// The longest sleep between two looks at a condition that comes without an interrupt.
  private static final long NAP_NANOS = 100_000;

  private final InterruptController interrupts;
  private final Duration patience;

  /// What a driver waits for.
  @FunctionalInterface
  public interface Condition {
    /// Whether it is true now.
    ///
    /// @throws HardwareException when it can never become true
    boolean holds() throws HardwareException;
  }

  /// @param patience how long a device may take for any one thing
  public Processor(InterruptController interrupts, Duration patience) {
    this.interrupts = interrupts;
    this.patience = patience;
  }

  /// The controller whose interrupts this processor takes.
  public InterruptController interrupts() {
    return interrupts;
  }

  /// Takes the interrupts that are pending now.
  ///
  /// @throws HardwareException when a handler threw one
  public void takeInterrupts() throws HardwareException {
    interrupts.takePending();
  }

  /// Takes interrupts until `condition` holds.
  ///
  /// @param what the condition as a clause in the negative, such as `CSTS.RDY did not become 1`
  /// @throws HardwareException when it does not hold within the patience, or an interrupt handler
  ///   or the condition threw one
  public void await(String what, Condition condition) throws HardwareException {
    if (!await(patience, condition)) {
      throw new HardwareException("%s within %d ms".formatted(what, patience.toMillis()));
    }
  }

  /// Takes interrupts until `condition` holds, or `limit` has passed.
  ///
  /// @return whether it holds
  /// @throws HardwareException as [#await(String, Condition)]
  public boolean await(Duration limit, Condition condition) throws HardwareException {
    long started = System.nanoTime();
    for (int looks = 0; ; looks++) {
      interrupts.takePending();
      if (condition.holds()) {
        return true;
      }
      if (looks < SPINS) {
        Thread.onSpinWait();
        continue;
      }
      if (System.nanoTime() - started >= limit.toNanos()) {
        return false;
      }
      try {
        interrupts.awaitPending(NAP_NANOS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new HardwareException("the guest was stopped while it waited", e);
      }
    }
  }
}
