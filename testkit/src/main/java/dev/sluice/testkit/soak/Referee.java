package dev.sluice.testkit.soak;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// Takes the first failure down and ends the soak for everybody.
final class Referee {
  /// Ends a thread whose soak has failed elsewhere.
  private static final class Ended extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Ended() {
      super("the soak has failed on another thread", null, false, false);
    }
  }

  private record Failure(String thread, Throwable cause) {}

  private final AtomicReference<@Nullable Failure> first = new AtomicReference<>();

  /// Runs a part of the soak and takes its failure down.
  void watch(String thread, Runnable part) {
    try {
      part.run();
    } catch (Ended e) {
      // Reported by the thread that failed.
    } catch (Throwable e) {
      first.compareAndSet(null, new Failure(thread, e));
    }
  }

  boolean hasFailed() {
    return first.get() != null;
  }

  /// Ends the calling thread's part when the soak has failed.
  void checkGoingOn() {
    if (hasFailed()) {
      throw new Ended();
    }
  }

  /// Throws what was taken down.
  void judge(SoakPlan plan) {
    Failure failure = first.get();
    if (failure != null) {
      throw new AssertionError(
          "soak with seed 0x%x failed on %s: %s"
              .formatted(plan.seed(), failure.thread(), failure.cause().getMessage()),
          failure.cause());
    }
  }
}
