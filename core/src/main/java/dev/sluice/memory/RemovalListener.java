package dev.sluice.memory;

/// Somebody who holds regions for long and wants to know when one has to go.
public interface RemovalListener {
  /// The region left the address space: new accesses no longer find it. It stays mapped until every
  /// hold on it is released; the listener sees to that for its own, by its policy. Must not block.
  void removing(RamRegion region);
}
