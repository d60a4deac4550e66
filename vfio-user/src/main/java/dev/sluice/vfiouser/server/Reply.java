package dev.sluice.vfiouser.server;

import dev.sluice.host.Errno;
import dev.sluice.vfiouser.transport.Channel;
import dev.sluice.vfiouser.wire.Header;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The answer to the command that is being served: unless a handler says otherwise, success without
/// a payload. One object serves all commands of a session, one after another.
final class Reply {
  private final MemorySegment buffer;
  private int id;
  private int command;
  private boolean unwanted;
  private long size;
  private @Nullable Errno error;
  private String reason = "";
  private @Nullable Completion pending;

  /// @param buffer [Limits#MESSAGE] bytes
  Reply(MemorySegment buffer) {
    this.buffer = buffer;
  }

  /// Begins the answer to `request`.
  void begin(MemorySegment request) {
    id = Header.id(request);
    command = Header.command(request);
    unwanted = Header.wantsNoReply(request);
    size = Header.BYTES;
    error = null;
    pending = null;
  }

  /// The message to be sent, for the layouts to write their fields into.
  MemorySegment message() {
    return buffer;
  }

  /// The message has a payload; its size with the header is `bytes`.
  void succeed(long bytes) {
    size = bytes;
  }

  /// The command is refused.
  ///
  /// @param why for the log
  void refuse(Errno errno, String why) {
    error = errno;
    reason = why;
  }

  /// The answer goes out when `completion` is done, and no other command is served before.
  void after(Completion completion) {
    pending = completion;
  }

  /// What the answer waits for.
  @Nullable Completion pending() {
    return pending;
  }

  /// Whether the command was refused.
  boolean isRefused() {
    return error != null;
  }

  /// Why.
  String reason() {
    return reason;
  }

  /// The number of the command.
  int command() {
    return command;
  }

  /// Sends the answer, in one piece, unless the client wants none.
  void send(Channel channel) throws IOException {
    pending = null;
    if (unwanted) {
      return;
    }
    Errno errno = error;
    if (errno == null) {
      Header.putReply(buffer, id, command, size);
      channel.send(buffer, 0, size, List.of());
    } else {
      Header.putError(buffer, id, command, errno);
      channel.send(buffer, 0, Header.BYTES, List.of());
    }
  }
}
