package dev.sluice.testkit.contract;

/// How a guest learns that an invalidation is complete.
public enum Notice {
  /// It looks at a register until a bit has changed.
  POLLED,
  /// An interrupt tells it, and a word in its memory.
  INTERRUPT,
  /// The processor that asked is halted until then.
  RESUMED_PROCESSOR
}
