package dev.sluice.iommu.model;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A few threads that use one part of the protocol against one another, and what must never be.
///
/// A subclass declares the shared variables, writes each thread's program, and says what must hold
/// whenever a variable changes ([#written]), wherever a program asks ([Processor#check]), and when
/// everybody is through ([#ended]). The search then takes every step of every thread in every
/// order, and lets every pending store reach memory at every moment.
///
/// Each line of the protocol can be left out or put elsewhere by one of the scenario's *slips*, of
/// which the search has to find something that must not be.
abstract class Scenario {
  private final List<String> names = new ArrayList<>();
  private final List<Integer> initial = new ArrayList<>();
  private final List<Program> programs = new ArrayList<>();
  private @Nullable String violation;

  Scenario() {}

  // --- for the subclass

  /// Declares a shared variable.
  ///
  /// @return its number
  final int variable(String name, int value) {
    names.add(name);
    initial.add(value);
    return names.size() - 1;
  }

  /// Declares a thread.
  final Program thread(String name) {
    Program program = new Program(name);
    programs.add(program);
    return program;
  }

  /// Something that must not be.
  final void violated(String what) {
    if (violation == null) {
      violation = what;
    }
  }

  final void check(boolean holds, String otherwise) {
    if (!holds) {
      violated(otherwise);
    }
  }

  /// A variable has just changed in memory.
  void written(State state, int variable, int value) {}

  /// All programs have ended, and all stores have reached memory.
  void ended(State state) {}

  // --- for the search

  final Program program(int thread) {
    return programs.get(thread);
  }

  final int threads() {
    return programs.size();
  }

  final String nameOf(int variable) {
    return variable == State.STORE_FENCE ? "fence" : names.get(variable & ~State.RELEASE);
  }

  final State start() {
    byte[] values = new byte[initial.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = initial.get(i).byteValue();
    }
    return new State(values, programs.size());
  }

  final @Nullable String takeViolation() {
    String found = violation;
    violation = null;
    return found;
  }
}
