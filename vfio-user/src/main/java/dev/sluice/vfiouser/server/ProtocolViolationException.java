package dev.sluice.vfiouser.server;

/// The client sent what no client may send, after which nothing in the stream can be relied on: the
/// connection ends.
final class ProtocolViolationException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String reason;

  ProtocolViolationException(String reason) {
    super(reason);
    this.reason = reason;
  }

  /// What is wrong.
  String reason() {
    return reason;
  }
}
