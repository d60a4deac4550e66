package dev.sluice.testkit.soak;

/// Something happened that no order of events allows.
final class SoakFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  SoakFailure(String message) {
    super(message);
  }
}
