package dev.sluice.iommu.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;

/// What one thread does: steps in order, each of which happens at once and makes at most one access
/// to a shared variable that another thread may change meanwhile.
final class Program {
  /// A label that every program has: nothing is left to do.
  static final String END = "end";

  /// @param enabled whether the step can be taken now; else the thread waits
  record Step(String what, Predicate<Processor> enabled, Consumer<Processor> action) {}

  private final String name;
  private final List<Step> steps = new ArrayList<>();
  private final Map<String, Integer> labels = new HashMap<>();

  Program(String name) {
    this.name = name;
  }

  String name() {
    return name;
  }

  int length() {
    return steps.size();
  }

  Step step(int index) {
    return steps.get(index);
  }

  /// Where a label leads.
  int place(String label) {
    if (label.equals(END)) {
      return steps.size();
    }
    Integer place = labels.get(label);
    if (place == null) {
      throw new IllegalArgumentException(name + " has no label " + label);
    }
    return place;
  }

  /// Names the next step, so that [Processor#go] can lead there.
  Program label(String label) {
    labels.put(label, steps.size());
    return this;
  }

  Program step(String what, Consumer<Processor> action) {
    return when(what, _ -> true, action);
  }

  /// A step that waits until it can be taken.
  Program when(String what, Predicate<Processor> enabled, Consumer<Processor> action) {
    steps.add(new Step(what, enabled, action));
    return this;
  }

  /// A step that only one of a scenario's mutants takes, or leaves out.
  Program stepIf(boolean present, String what, Consumer<Processor> action) {
    return present ? step(what, action) : this;
  }

  /// Takes a lock: a read-modify-write, so a full fence.
  Program lock(String what, int lock) {
    return when(what, cpu -> cpu.load(lock) == 0, cpu -> cpu.exchange(lock, 1));
  }

  Program unlock(String what, int lock) {
    return step(what, cpu -> cpu.release(lock, 0));
  }

  /// A barrier on every thread of the process (`ProcessBarrier`): it takes effect on one thread
  /// after the other.
  Program processBarrier(int threads) {
    step("barrier: myself", Processor::fullFence);
    for (int thread = 0; thread < threads; thread++) {
      int other = thread;
      step("barrier: thread " + other, cpu -> cpu.fenceOn(other));
    }
    return this;
  }
}
