package dev.sluice.testkit.contract;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/// An invalidation that the guest has asked for, or a reset.
public interface Request {
  /// Whether the guest can see that it is complete: looks once, as the guest's driver does.
  boolean isComplete();

  /// What the machine asks for, and is told of.
  ///
  /// @param begin begins it, and has its argument run when it is complete
  static Request told(Consumer<Runnable> begin) {
    AtomicBoolean complete = new AtomicBoolean();
    begin.accept(() -> complete.set(true));
    return complete::get;
  }
}
