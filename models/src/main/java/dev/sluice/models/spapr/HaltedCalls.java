package dev.sluice.models.spapr;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// The processors that wait for a drain. Each waits for one at most, so their number is bounded by
/// that of the processors.
final class HaltedCalls {
  private final Map<VirtualCpu, PendingCall> calls = new ConcurrentHashMap<>();

  /// The processor waits from now on.
  ///
  /// @throws IllegalStateException when the processor is halted already
  void add(VirtualCpu cpu, PendingCall call) {
    if (calls.putIfAbsent(cpu, call) != null) {
      throw new IllegalStateException("a halted processor makes no hypercalls: " + cpu);
    }
  }

  void remove(VirtualCpu cpu, PendingCall call) {
    calls.remove(cpu, call);
  }

  /// Forgets the call of a processor, which is then not resumed.
  void abandon(VirtualCpu cpu) {
    PendingCall call = calls.remove(cpu);
    if (call != null) {
      call.abandon();
    }
  }

  void abandonAll() {
    calls.keySet().forEach(this::abandon);
  }

  int count() {
    return calls.size();
  }
}
