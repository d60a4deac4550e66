package dev.sluice.vfiouser.server;

import dev.sluice.vfiouser.transport.Attachment;
import dev.sluice.vfiouser.transport.Channel;
import dev.sluice.vfiouser.wire.Header;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Puts the client's messages together from what the stream brings.
///
/// The header and the rest of a message are received by calls of their own, so that descriptors are
/// never taken for those of the message before.
final class Inbox {
  /// What one receive led to.
  enum Progress {
    /// The message is not whole yet.
    PARTIAL,
    /// [#message()] is whole.
    WHOLE,
    /// The client has ended, between two messages.
    END,
    /// The client has ended in the middle of one.
    CUT
  }

  private final MemorySegment buffer;
  private final List<Attachment> attachments = new ArrayList<>();
  private long have;

  /// @param buffer [Limits#MESSAGE] bytes
  Inbox(MemorySegment buffer) {
    this.buffer = buffer;
  }

  /// Receives once. After [Progress#WHOLE], [#clear()] comes before the next call.
  ///
  /// @throws ProtocolViolationException when the header makes no sense or there are too many
  ///   descriptors
  Progress receive(Channel channel) throws IOException, ProtocolViolationException {
    long want = have < Header.BYTES ? Header.BYTES : Header.size(buffer);
    long got = channel.receive(buffer, have, want - have, attachments);
    if (got < 0) {
      return have == 0 ? Progress.END : Progress.CUT;
    }
    have += got;
    if (attachments.size() > Limits.MESSAGE_FDS) {
      throw new ProtocolViolationException(
          "more than " + Limits.MESSAGE_FDS + " descriptors with one message");
    }
    if (have < Header.BYTES) {
      return Progress.PARTIAL;
    }
    if (have == Header.BYTES) {
      checkHeader();
    }
    return have == Header.size(buffer) ? Progress.WHOLE : Progress.PARTIAL;
  }

  private void checkHeader() throws ProtocolViolationException {
    long size = Header.size(buffer);
    if (size < Header.BYTES || size > Limits.MESSAGE) {
      throw new ProtocolViolationException("a message cannot have a size of " + size + " bytes");
    }
    if (!Header.isCommand(buffer) && !Header.isReply(buffer)) {
      throw new ProtocolViolationException("a message that is neither command nor reply");
    }
  }

  /// Whether a header has arrived, so that the client can be told by its id what was wrong.
  boolean hasHeader() {
    return have >= Header.BYTES;
  }

  /// The message, with its header; as long as its header says.
  MemorySegment message() {
    return buffer.asSlice(0, have);
  }

  /// What came with the message. Whoever keeps one takes it out of the list.
  List<Attachment> attachments() {
    return attachments;
  }

  /// Closes what is left of the attachments and makes room for the next message.
  void clear() {
    have = 0;
    if (!attachments.isEmpty()) {
      attachments.forEach(Attachment::close);
      attachments.clear();
    }
  }
}
