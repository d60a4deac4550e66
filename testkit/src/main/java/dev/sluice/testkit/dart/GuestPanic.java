package dev.sluice.testkit.dart;

/// The guest's kernel gives up.
public final class GuestPanic extends RuntimeException {
  private static final long serialVersionUID = 1;

  GuestPanic(String message) {
    super(message);
  }
}
