package dev.sluice.memory;

/// Somebody who keeps regions at hand, by a hold or by a [Ram] address, and has to let go when one
/// is removed.
public interface RemovalListener {
  /// The region left the address space: new accesses no longer find it. It stays mapped, and its
  /// number its own, until every hold on it is released and every listener has let go. Must not
  /// block.
  ///
  /// @param letGo to be run once, by any thread, when the listener knows no way to the region any
  ///   more
  void removing(RamRegion region, Runnable letGo);
}
