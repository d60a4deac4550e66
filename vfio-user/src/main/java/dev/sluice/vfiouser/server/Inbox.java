package dev.sluice.vfiouser.server;

import dev.sluice.vfiouser.transport.Attachment;
import dev.sluice.vfiouser.transport.Channel;
import dev.sluice.vfiouser.wire.Header;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Puts the client's messages together from what the stream brings, as many with one receive as
/// have arrived.
///
/// A receive ends with the bytes that descriptors were attached to, as a UNIX socket has it. So
/// what comes with a receive belongs to the last message that it brought bytes of, and there is
/// never more than one message whose attachments wait.
///
/// ```
///  0      first          next message            end         READ_AHEAD more than a message
///  | done | whole message | part of one, or more | free ...  |
/// ```
final class Inbox {
  /// Bytes that are received beyond the message that is waited for: some hundred posted writes.
  private static final long READ_AHEAD = 8192;

  /// What one receive led to.
  enum Progress {
    /// Nothing has arrived.
    NOTHING,
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

  /// What came with the message that begins at [#attachedTo].
  private final List<Attachment> attached = new ArrayList<>();

  private long attachedTo;
  private long first;
  private long end;

  /// @param buffer of [#bufferBytes()]
  Inbox(MemorySegment buffer) {
    this.buffer = buffer;
  }

  /// Bytes that the buffer needs.
  static long bufferBytes() {
    return Limits.MESSAGE + READ_AHEAD;
  }

  /// Whether [#receive] would find a message without receiving anything.
  boolean hasWhole() throws ProtocolViolationException {
    if (!hasHeader()) {
      return false;
    }
    checkHeader();
    return size(first) <= end - first;
  }

  /// Takes the next message of those that have arrived, or receives once. After [Progress#WHOLE],
  /// [#clear()] comes before the next call.
  ///
  /// @param wait whether to wait for bytes
  /// @throws ProtocolViolationException when the header makes no sense or there are too many
  ///   descriptors
  Progress receive(Channel channel, boolean wait) throws IOException, ProtocolViolationException {
    if (hasWhole()) {
      return Progress.WHOLE;
    }
    makeRoom();
    long rest = hasHeader() ? size(first) - (end - first) : 0;
    long room = Math.min(rest + READ_AHEAD, buffer.byteSize() - end);
    int before = attached.size();
    long got =
        wait
            ? channel.receive(buffer, end, room, attached)
            : channel.receiveNow(buffer, end, room, attached);
    if (got == 0) {
      return Progress.NOTHING;
    }
    if (got < 0) {
      return first == end ? Progress.END : Progress.CUT;
    }
    end += got;
    if (attached.size() > before) {
      attachedTo = last();
    }
    if (attached.size() > Limits.MESSAGE_FDS) {
      throw new ProtocolViolationException(
          "more than " + Limits.MESSAGE_FDS + " descriptors with one message");
    }
    return hasWhole() ? Progress.WHOLE : Progress.PARTIAL;
  }

  /// Moves what is left of the last receive, less than a message, to the start.
  private void makeRoom() {
    if (first > 0) {
      MemorySegment.copy(buffer, first, buffer, 0, end - first);
      attachedTo -= first;
      end -= first;
      first = 0;
    }
  }

  /// Where the last message begins that there are bytes of.
  private long last() {
    long at = first;
    while (end - at > Header.BYTES && size(at) >= Header.BYTES && size(at) < end - at) {
      at += size(at);
    }
    return at;
  }

  private long size(long at) {
    return Header.size(buffer.asSlice(at));
  }

  private void checkHeader() throws ProtocolViolationException {
    long size = size(first);
    if (size < Header.BYTES || size > Limits.MESSAGE) {
      throw new ProtocolViolationException("a message cannot have a size of " + size + " bytes");
    }
    MemorySegment header = buffer.asSlice(first);
    if (!Header.isCommand(header) && !Header.isReply(header)) {
      throw new ProtocolViolationException("a message that is neither command nor reply");
    }
  }

  /// Whether a header has arrived, so that the client can be told by its id what was wrong.
  boolean hasHeader() {
    return end - first >= Header.BYTES;
  }

  /// The header alone.
  MemorySegment header() {
    return buffer.asSlice(first, Header.BYTES);
  }

  /// The message, with its header; as long as its header says.
  MemorySegment message() {
    return buffer.asSlice(first, size(first));
  }

  /// What came with the message. Whoever keeps one takes it out of the list.
  List<Attachment> attachments() {
    return attached.isEmpty() || attachedTo == first ? attached : new ArrayList<>();
  }

  /// Closes what is left of the message's attachments and goes on to the next message.
  void clear() {
    if (attachedTo == first) {
      closeAttached();
    }
    first += size(first);
    if (first == end) {
      first = 0;
      end = 0;
    }
  }

  /// Closes all that was received and not taken.
  void close() {
    closeAttached();
  }

  private void closeAttached() {
    if (!attached.isEmpty()) {
      attached.forEach(Attachment::close);
      attached.clear();
    }
  }
}
