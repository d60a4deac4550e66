package dev.sluice.models.dart.apple;

/// The DART's interrupt, by level: asserted from an error until software clears it.
@FunctionalInterface
public interface InterruptLine {
  /// The level has changed. Called from any thread, one at a time; must not block. Software that it
  /// runs on this thread may use the registers.
  void set(boolean asserted);
}
