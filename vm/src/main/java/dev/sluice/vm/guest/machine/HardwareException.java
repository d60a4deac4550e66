package dev.sluice.vm.guest.machine;

/// The hardware did not do what its specification promises, or refused what a driver asked for: the
/// guest's side of the story, to be told in a check's detail.
public final class HardwareException extends Exception {
  /// @param message what was expected and what was found, as a clause
  public HardwareException(String message) {
    super(message);
  }

  /// @param message what was expected and what was found, as a clause
  /// @param cause what went wrong underneath
  public HardwareException(String message, Throwable cause) {
    super(message, cause);
  }
}
