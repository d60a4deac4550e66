package dev.sluice.vm;

/// A boot that could not be carried out: the message says what was tried and what happened,
/// [#advice] what to do.
public final class BootException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String advice;

  /// A failure with what to do about it.
  public BootException(String message, String advice) {
    super(message);
    this.advice = advice;
  }

  /// A failure with its cause and what to do about it.
  public BootException(String message, String advice, Throwable cause) {
    super(message, cause);
    this.advice = advice;
  }

  /// What to do about it, in the imperative.
  public String advice() {
    return advice;
  }
}
