package dev.sluice.vfiouser.server;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.sluice.vfiouser.transport.Attachment;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Commands that arrived while the reply to an earlier one waits for the device: commands are
/// served in the order of their arrival.
final class Backlog {
  /// @param message a copy
  record Entry(MemorySegment message, List<Attachment> attachments) {}

  private final Deque<Entry> entries = new ArrayDeque<>();
  private long bytes;

  /// Whether no more may be received. One message can pass the limit of bytes.
  boolean isFull() {
    return entries.size() >= Limits.BACKLOG_MESSAGES || bytes >= Limits.BACKLOG_BYTES;
  }

  boolean isEmpty() {
    return entries.isEmpty();
  }

  /// Keeps a copy of `message` and takes the attachments over.
  void add(MemorySegment message, List<Attachment> attachments) {
    entries.add(
        new Entry(MemorySegment.ofArray(message.toArray(JAVA_BYTE)), new ArrayList<>(attachments)));
    bytes += message.byteSize();
    attachments.clear();
  }

  /// The oldest, which the caller takes over; null when there is none.
  @Nullable Entry poll() {
    Entry first = entries.poll();
    if (first != null) {
      bytes -= first.message().byteSize();
    }
    return first;
  }

  /// Forgets everything.
  void clear() {
    entries.forEach(entry -> entry.attachments().forEach(Attachment::close));
    entries.clear();
    bytes = 0;
  }
}
