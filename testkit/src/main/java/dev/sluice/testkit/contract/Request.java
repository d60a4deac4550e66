package dev.sluice.testkit.contract;

/// An invalidation that the guest has asked for.
public interface Request {
  /// Whether the guest can see that it is complete: looks once, as the guest's driver does.
  boolean isComplete();
}
