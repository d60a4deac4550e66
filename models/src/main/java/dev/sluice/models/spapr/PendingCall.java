package dev.sluice.models.spapr;

import java.util.concurrent.atomic.AtomicReference;

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
  private final AtomicReference<State> state = new AtomicReference<>(State.BEGUN);

  /// Written before `state` says that the call is complete.
  private long returnCode;

  /// What makes the end of a drain known, before the processor is.
  @FunctionalInterface
  interface Finish {
    /// Makes it known.
    ///
    /// @return the call's return code
    long finish();
  }

  PendingCall(HaltedCalls halted, VirtualCpu cpu, Finish finish) {
    this.halted = halted;
    this.cpu = cpu;
    this.finish = finish;
  }

  /// The drain is over.
  @Override
  public void run() {
    returnCode = finish.finish();
    if (!state.compareAndSet(State.BEGUN, State.COMPLETE)
        && state.compareAndSet(State.HALTED, State.COMPLETE)) {
      halted.remove(cpu, this);
      cpu.resume(returnCode);
    }
  }

  /// The dispatcher's last act.
  ///
  /// @return the return code if the drain is over, or [ReturnCode#HALTED]
  long returnOrHalt() {
    if (state.get() == State.COMPLETE) {
      return returnCode;
    }
    halted.add(cpu, this);
    cpu.halt();
    if (!state.compareAndSet(State.BEGUN, State.HALTED) && state.get() == State.COMPLETE) {
      // The drain ended after the first look: nobody else resumes.
      halted.remove(cpu, this);
      cpu.resume(returnCode);
    }
    return ReturnCode.HALTED;
  }

  /// The processor was reset: whoever it is when the drain ends, it did not make this call.
  void abandon() {
    if (!state.compareAndSet(State.HALTED, State.ABANDONED)) {
      state.compareAndSet(State.BEGUN, State.ABANDONED);
    }
  }
}
