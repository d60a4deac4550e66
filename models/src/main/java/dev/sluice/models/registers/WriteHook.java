package dev.sluice.models.registers;

/// What a write to a register sets off.
///
/// Runs with the model's lock held, after the register has its new content. It may change
/// registers; work that leaves the model (an invalidation, an interrupt, an access to guest memory)
/// goes to [ModelLock#defer].
@FunctionalInterface
public interface WriteHook {
  /// A write that touched the register has taken effect.
  ///
  /// @param value the content now
  /// @param before the content until now
  /// @param touched the bits that the access covered, written or not: 4 bytes of an 8-byte
  ///   register, say
  void written(long value, long before, long touched);
}
