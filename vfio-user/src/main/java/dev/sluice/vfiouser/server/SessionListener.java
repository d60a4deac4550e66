package dev.sluice.vfiouser.server;

/// Told what happens to a server's clients. Called on the server's thread: must not block, nor
/// close the server.
public interface SessionListener {
  /// A client has connected; it has said nothing yet.
  ///
  /// @param peer who, such as "process 4711"
  default void connected(String peer) {}

  /// The client has gone; its memory and interrupts are given back, the device's state is as it
  /// was.
  ///
  /// @param reason why, as a sentence
  default void disconnected(String peer, String reason) {}

  /// A message was answered with an error.
  ///
  /// @param reason what was wrong with it
  default void refused(String peer, String reason) {}

  /// The device's or the server's own code failed while it served a message. The session goes on if
  /// it can.
  default void failed(Throwable failure) {}
}
