package dev.sluice.vm.kit;

import java.io.IOException;

/// Something on this machine keeps a guest from being started: no QEMU, no network, no room.
///
/// The message says what was tried and how it failed; [#advice] what a user can do about it.
public sealed class KitException extends IOException permits KitUnavailableException {
  private static final long serialVersionUID = 1L;

  private final String advice;

  /// @param message what was tried and what happened
  /// @param advice what to do, in the imperative
  public KitException(String message, String advice) {
    super(message);
    this.advice = advice;
  }

  /// @param message what was tried and what happened
  /// @param advice what to do, in the imperative
  /// @param cause the failure underneath
  public KitException(String message, String advice, Throwable cause) {
    super(message, cause);
    this.advice = advice;
  }

  /// What to do about it.
  public String advice() {
    return advice;
  }
}
