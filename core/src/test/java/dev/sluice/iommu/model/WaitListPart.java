package dev.sluice.iommu.model;

/// `WaitList` and `Drain` as a part of scenarios: who waits for something that ends without looking
/// whether somebody waits.
///
/// A waiter is told apart by its drain's number; drain `i` waits until the watched variable is no
/// more what `endings[i]` says. Register [#TOLD] is taken.
final class WaitListPart {
  /// Register: the drains that a call of `wake` has to tell, a bit each.
  static final int TOLD = State.REGISTERS - 1;

  private final int lock;
  private final int awaited;
  private final int waiters;
  private final int[] endings;
  private final int[] pending;
  private final int watched;
  private final int threads;

  /// What may be wrong with it.
  enum Slip {
    /// `Drain.start`: no process-wide barrier.
    NO_BARRIER,
    /// `Drain.start`: the barrier comes before the waiter is in the list.
    BARRIER_BEFORE_ADD,
    /// `Drain.start`: does not look again.
    NO_SECOND_LOOK,
    /// `WaitList.wake`: leaves those that it tells in the list.
    TOLD_AND_LEFT,
    /// `WaitList.wake`: clears `awaited` though others wait.
    FORGETS_OTHERS,
    /// `WaitList.wake`: takes no lock.
    NO_LOCK,
    /// No slip.
    NONE
  }

  private final Slip slip;
  private final Completion completion;

  /// What happens when nothing is left to wait for.
  interface Completion {
    void completed(Processor cpu, int drain);
  }

  WaitListPart(
      Scenario scenario, int drains, int threads, int watched, Slip slip, Completion completion) {
    this.threads = threads;
    this.watched = watched;
    this.slip = slip;
    this.completion = completion;
    lock = scenario.variable("lock of the wait list", 0);
    awaited = scenario.variable("awaited", 0);
    waiters = scenario.variable("waiters", 0);
    endings = new int[drains];
    pending = new int[drains];
    for (int i = 0; i < drains; i++) {
      endings[i] = scenario.variable("ending of waiter " + i, 0);
      pending[i] = scenario.variable("pending of drain " + i, 1);
    }
  }

  /// Whoever ends something: looks whether somebody waits, and tells.
  void lookAndWake(Program p, String name) {
    p.step("awaited?", cpu -> cpu.goIf(cpu.load(awaited) == 0, name + " nobody waits"));
    wake(p, name);
    p.label(name + " nobody waits");
  }

  /// `Drain.start` with one thing to wait for: that the watched variable is not any more what the
  /// register says.
  void await(Program p, int drain, int register, String name) {
    if (slip == Slip.BARRIER_BEFORE_ADD) {
      p.processBarrier(threads);
    }
    p.step("counts up", cpu -> cpu.add(pending[drain], 1));
    lock(p);
    p.step(
        "adds itself",
        cpu -> {
          cpu.store(endings[drain], cpu.get(register));
          cpu.store(waiters, cpu.load(waiters) | 1 << drain);
        });
    p.step("sets awaited", cpu -> cpu.storeVolatile(awaited, 1));
    unlock(p);
    if (slip != Slip.NO_BARRIER && slip != Slip.BARRIER_BEFORE_ADD) {
      p.processBarrier(threads);
    }
    if (slip != Slip.NO_SECOND_LOOK) {
      wake(p, name);
    }
  }

  /// Its own setting up is done.
  void countDown(Program p, int drain) {
    p.step("counts down its setting up", cpu -> countDown(cpu, drain));
  }

  private void wake(Program p, String name) {
    lock(p);
    p.step(
        "takes out whose end has come",
        cpu -> {
          int told = 0;
          int left = cpu.load(waiters);
          for (int drain = 0; drain < endings.length; drain++) {
            if ((left & 1 << drain) != 0 && cpu.load(watched) != cpu.load(endings[drain])) {
              told |= 1 << drain;
            }
          }
          left = slip == Slip.TOLD_AND_LEFT ? left : left & ~told;
          cpu.set(TOLD, told);
          cpu.store(waiters, left);
        });
    p.step(
        "says whether others wait",
        cpu ->
            cpu.storeVolatile(
                awaited, cpu.load(waiters) == 0 || slip == Slip.FORGETS_OTHERS ? 0 : 1));
    unlock(p);
    for (int i = 0; i < endings.length; i++) {
      int drain = i;
      p.step(
          "counts drain " + drain + " down if it was taken out",
          cpu -> {
            if ((cpu.get(TOLD) & 1 << drain) != 0) {
              countDown(cpu, drain);
            }
          });
    }
    p.step("has told all of " + name, cpu -> cpu.set(TOLD, 0));
  }

  private void countDown(Processor cpu, int drain) {
    int left = cpu.add(pending[drain], -1);
    cpu.check(left >= 0, "a drain is counted down twice");
    if (left == 0) {
      completion.completed(cpu, drain);
    }
  }

  private void lock(Program p) {
    if (slip != Slip.NO_LOCK) {
      p.lock("takes the lock of the list", lock);
    }
  }

  private void unlock(Program p) {
    if (slip != Slip.NO_LOCK) {
      p.unlock("gives the lock of the list back", lock);
    }
  }
}
