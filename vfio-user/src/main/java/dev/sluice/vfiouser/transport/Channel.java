package dev.sluice.vfiouser.transport;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A connection to the other side: a stream of bytes both ways, with attachments beside them.
///
/// One thread receives and awaits; any thread sends, wakes or shuts down. Segments given to a
/// channel are native memory.
public interface Channel extends AutoCloseable {
  /// In the result of [#await]: bytes have arrived, or the stream has ended.
  int READABLE = 1;

  /// In the result of [#await]: [#wake()] was called since the last await that said so.
  int WOKEN = 2;

  /// In the result of [#await]: the [watched][#watch] event was signalled.
  int SIGNALLED = 4;

  /// Waits for bytes and takes up to `length` of them, none beyond the part of the stream that the
  /// first attachments belong to.
  ///
  /// @param attachments receives what came beside the bytes; the caller closes them
  /// @return bytes taken, 1 or more; -1 at the end of the stream
  long receive(MemorySegment into, long offset, long length, List<Attachment> attachments)
      throws IOException;

  /// Takes up to `length` of the bytes that have arrived, and does not wait for any.
  ///
  /// @param attachments as for [#receive]
  /// @return bytes taken; 0 when there are none; -1 at the end of the stream
  long receiveNow(MemorySegment into, long offset, long length, List<Attachment> attachments)
      throws IOException;

  /// Sends `length` bytes as one, unbroken by another thread's, with `attachments` beside the
  /// first.
  ///
  /// @param attachments stay the caller's
  /// @throws IOException when the other side has ended or takes nothing for too long; nothing more
  ///   can be sent then
  void send(MemorySegment from, long offset, long length, List<Attachment> attachments)
      throws IOException;

  /// Sends some hundred bytes as [#send] does, if neither the other side nor another thread's send
  /// has to be waited for.
  ///
  /// @return false when nothing was sent
  /// @throws IOException as for [#send]
  boolean sendNow(MemorySegment from, long offset, long length) throws IOException;

  /// Whether a [#send] of some hundred bytes would not have to wait, if nobody else sends.
  boolean isWritable() throws IOException;

  /// Waits for one of several things, whatever comes first.
  ///
  /// @param readable whether bytes that have arrived, or the end, count
  /// @param nanos the longest wait; negative waits without end
  /// @return the bits of what has happened; 0 when the time has passed
  int await(boolean readable, long nanos) throws IOException;

  /// Lets [#await] look at `event` too from now on, or at none. The event comes from this channel
  /// and stays the caller's; it is unwatched before it is closed.
  void watch(@Nullable Event event);

  /// Ends an [#await], this or the next one.
  void wake();

  /// Ends the stream in both directions, also for a thread that waits in [#receive], [#await] or
  /// [#send].
  void shutdown();

  /// Who is at the other end, for a log line.
  String peer();

  /// Shuts down and gives up the connection; a second call does nothing.
  @Override
  void close();
}
