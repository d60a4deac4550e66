package dev.sluice.models.spapr;

/// The processor that makes a hypercall, as the model knows it.
///
/// A call that has to wait for a device halts the processor, and no thread: the virtual machine
/// monitor executes nothing of it until it is resumed.
public interface VirtualCpu {
  /// The call in progress is not over: the processor executes nothing until [#resume]. Called at
  /// most once for a call, on the thread that dispatches it, before the dispatch returns
  /// [ReturnCode#HALTED].
  void halt();

  /// The call is over: the processor goes on behind it with this return code in R3. Called exactly
  /// once after [#halt], on the thread that ended the last access, or on the dispatching thread
  /// when that happened first; unless the processor was reset meanwhile. Short, and must not block.
  void resume(long returnCode);
}
