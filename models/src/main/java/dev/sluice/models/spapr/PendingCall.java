package dev.sluice.models.spapr;

/// A call whose drain was begun. The drain's end runs it; whether that is before or after the
/// dispatcher has looked decides if the call returns or the processor is halted.
final class PendingCall implements Runnable {
  private enum State {
    BEGUN,
    HALTED,
    COMPLETE,
    ABANDONED
  }

  private final HaltedCalls halted;
  private final VirtualCpu cpu;
  private final Finish finish;
  private final Runnable drained;

  /// Guarded by this, like what follows.
  private State state = State.BEGUN;

  private long returnCode;

  /// What makes the end of the call known to the guest, before the processor goes on. Not run when
  /// the processor was reset meanwhile: who uses its memory now knows nothing of the call.
  @FunctionalInterface
  interface Finish {
    /// Makes it known.
    ///
    /// @return the call's return code
    long finish();
  }

  /// @param drained runs when the drain is over, whatever became of the processor
  PendingCall(HaltedCalls halted, VirtualCpu cpu, Runnable drained, Finish finish) {
    this.halted = halted;
    this.cpu = cpu;
    this.drained = drained;
    this.finish = finish;
  }

  /// The drain is over.
  @Override
  public void run() {
    drained.run();
    long code;
    synchronized (this) {
      if (state == State.ABANDONED) {
        return;
      }
      // Under the lock: whoever resets the processor knows afterwards that nothing more is written.
      code = finish.finish();
      returnCode = code;
      boolean resume = state == State.HALTED;
      state = State.COMPLETE;
      if (!resume) {
        return;
      }
    }
    halted.remove(cpu, this);
    cpu.resume(code);
  }

  /// The dispatcher's last act.
  ///
  /// @return the return code if the drain is over, or [ReturnCode#HALTED]
  synchronized long returnOrHalt() {
    if (state == State.COMPLETE) {
      return returnCode;
    }
    halted.add(cpu, this);
    cpu.halt();
    state = State.HALTED;
    return ReturnCode.HALTED;
  }

  /// The processor was reset: whoever it is when the drain ends, it did not make this call.
  synchronized void abandon() {
    if (state != State.COMPLETE) {
      state = State.ABANDONED;
    }
  }
}
