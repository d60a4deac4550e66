package dev.sluice.pci.nvme;

import dev.sluice.pci.Interrupts;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Counts interrupts, and lets a test wait until one has brought about what it waits for.
final class RecordedInterrupts implements Interrupts {
  private final Map<Integer, Integer> counts = new HashMap<>();
  private int broken = -1;

  /// From now on an interrupt of `vector` is more than the host can take.
  synchronized void breakVector(int vector) {
    broken = vector;
  }

  @Override
  public synchronized void signal(int vector) {
    if (vector == broken) {
      throw new IllegalStateException("as the test ordered");
    }
    counts.merge(vector, 1, Integer::sum);
    notifyAll();
  }

  @Override
  public void pin(boolean asserted) {
    throw new AssertionError("the controller has no pin");
  }

  synchronized int count(int vector) {
    return counts.getOrDefault(vector, 0);
  }

  /// Waits for `condition`, which is looked at after each interrupt.
  void await(BooleanSupplier condition) {
    awaitValue(() -> condition.getAsBoolean() ? Boolean.TRUE : null);
  }

  /// Waits until `probe`, which is asked after each interrupt, has a value.
  synchronized <T> T awaitValue(Supplier<? extends @Nullable T> probe) {
    try {
      for (T value = probe.get(); ; value = probe.get()) {
        if (value != null) {
          return value;
        }
        wait();
      }
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted while waiting for an interrupt", e);
    }
  }
}
