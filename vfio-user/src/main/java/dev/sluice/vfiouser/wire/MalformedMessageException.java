package dev.sluice.vfiouser.wire;

/// A message does not say what its command needs it to; the client is told EINVAL.
public final class MalformedMessageException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String reason;

  /// @param reason what is wrong, for the log
  public MalformedMessageException(String reason) {
    super(reason);
    this.reason = reason;
  }

  /// What is wrong.
  public String reason() {
    return reason;
  }
}
