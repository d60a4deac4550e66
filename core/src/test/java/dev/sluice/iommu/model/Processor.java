package dev.sluice.iommu.model;

/// What a step of a [Program] can do: the accesses of one thread to the shared variables, with the
/// memory order in their names, and its registers.
///
/// A store goes into the thread's store buffer, where only the thread itself sees it, and reaches
/// memory at any later moment. Stores to different variables may overtake each other, except that
/// what [#release] and [#storeStoreFence] keep in order stays in order. Loads happen in the order
/// of the program. That is weaker than x86, whose buffer is first in, first out, and it is what
/// AArch64 does with stores; what loads may do there is left to the acquires in the code.
final class Processor {
  private final Scenario scenario;
  private final State state;
  private final int thread;

  Processor(Scenario scenario, State state, int thread) {
    this.scenario = scenario;
    this.state = state;
    this.thread = thread;
  }

  // --- registers and the flow of control

  int get(int register) {
    return state.register(thread, register);
  }

  void set(int register, int value) {
    state.register(thread, register, value);
  }

  /// The registers are not needed any more: fewer states to tell apart.
  void forget() {
    for (int register = 0; register < State.REGISTERS; register++) {
      set(register, 0);
    }
  }

  /// The next step is the one with this label.
  void go(String label) {
    state.place(thread, scenario.program(thread).place(label));
  }

  void goIf(boolean condition, String label) {
    if (condition) {
      go(label);
    }
  }

  /// A property that has to hold here.
  void check(boolean holds, String otherwise) {
    if (!holds) {
      scenario.violated(otherwise);
    }
  }

  // --- memory

  int load(int variable) {
    for (int i = state.pending(thread) - 1; i >= 0; i--) {
      if ((state.pendingVariable(thread, i) & ~State.RELEASE) == variable) {
        return state.pendingValue(thread, i);
      }
    }
    return state.memory(variable);
  }

  /// A plain or opaque store.
  void store(int variable, int value) {
    state.addPending(thread, variable, value);
  }

  /// A store that does not overtake those before it; those after it may.
  void release(int variable, int value) {
    state.addPending(thread, variable | State.RELEASE, value);
  }

  /// No store after this overtakes one before.
  void storeStoreFence() {
    if (state.pending(thread) > 0) {
      state.addPending(thread, State.STORE_FENCE, 0);
    }
  }

  /// A store and a full fence.
  void storeVolatile(int variable, int value) {
    release(variable, value);
    fullFence();
  }

  void fullFence() {
    fenceOn(thread);
  }

  /// All that another thread has stored reaches memory.
  void fenceOn(int other) {
    while (state.pending(other) > 0) {
      flush(other, 0);
    }
  }

  /// An atomic exchange, a full fence.
  int exchange(int variable, int value) {
    fullFence();
    int before = state.memory(variable);
    write(variable, value);
    return before;
  }

  /// An atomic addition, a full fence.
  ///
  /// @return the sum
  int add(int variable, int addend) {
    fullFence();
    int sum = state.memory(variable) + addend;
    write(variable, sum);
    return sum;
  }

  /// An atomic compare and set, a full fence.
  boolean compareAndSet(int variable, int expected, int value) {
    fullFence();
    if (state.memory(variable) != expected) {
      return false;
    }
    write(variable, value);
    return true;
  }

  // --- for the search

  boolean canStore() {
    return state.pending(thread) + 2 <= State.BUFFER;
  }

  /// Whether a pending store may reach memory now.
  boolean canFlush(int index) {
    int variable = state.pendingVariable(thread, index);
    if (index == 0) {
      return true;
    }
    if (variable == State.STORE_FENCE || (variable & State.RELEASE) != 0) {
      return false;
    }
    for (int i = 0; i < index; i++) {
      int before = state.pendingVariable(thread, i);
      if (before == State.STORE_FENCE || (before & ~State.RELEASE) == variable) {
        return false;
      }
    }
    return true;
  }

  void flush(int index) {
    flush(thread, index);
  }

  private void flush(int of, int index) {
    int variable = state.pendingVariable(of, index);
    int value = state.pendingValue(of, index);
    state.removePending(of, index);
    if (variable != State.STORE_FENCE) {
      write(variable & ~State.RELEASE, value);
    }
    // A fence that nothing is before keeps nothing back.
    while (state.pending(of) > 0 && state.pendingVariable(of, 0) == State.STORE_FENCE) {
      state.removePending(of, 0);
    }
  }

  private void write(int variable, int value) {
    state.memory(variable, value);
    scenario.written(state, variable, value);
  }
}
