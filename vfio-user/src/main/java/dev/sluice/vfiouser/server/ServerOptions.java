package dev.sluice.vfiouser.server;

import java.time.Duration;

/// What a server may be told; [#DEFAULT] is right for QEMU, whose patience is 5 seconds.
///
/// @param replyLimit how long a reply may wait for a device: a DMA_UNMAP for the device to let go
///   of the memory, a reset for its end. The client is told EBUSY then. Less than the client's
///   patience, because a reply that comes later confuses it
/// @param messageLimit how long a device's access to memory without a descriptor may wait for the
///   client. Less than `replyLimit`, so that a device that waits for the client cannot make the
///   client wait in vain
/// @param sendLimit how long a client may leave bytes unread before it counts as gone
/// @param listener told of clients that come and go
public record ServerOptions(
    Duration replyLimit, Duration messageLimit, Duration sendLimit, SessionListener listener) {
  /// 4 s, 2 s, 4 s, and nobody is told.
  public static final ServerOptions DEFAULT =
      new ServerOptions(
          Duration.ofSeconds(4),
          Duration.ofSeconds(2),
          Duration.ofSeconds(4),
          new SessionListener() {});

  /// Checks that every limit is positive.
  public ServerOptions {
    for (Duration limit : new Duration[] {replyLimit, messageLimit, sendLimit}) {
      if (limit.isNegative() || limit.isZero()) {
        throw new IllegalArgumentException("a limit of " + limit + " leaves no time");
      }
    }
  }

  /// The same with another listener.
  public ServerOptions withListener(SessionListener newListener) {
    return new ServerOptions(replyLimit, messageLimit, sendLimit, newListener);
  }

  /// The same with another limit for replies that wait for the device.
  public ServerOptions withReplyLimit(Duration limit) {
    return new ServerOptions(limit, messageLimit, sendLimit, listener);
  }

  /// The same with another limit for memory accesses by message.
  public ServerOptions withMessageLimit(Duration limit) {
    return new ServerOptions(replyLimit, limit, sendLimit, listener);
  }
}
