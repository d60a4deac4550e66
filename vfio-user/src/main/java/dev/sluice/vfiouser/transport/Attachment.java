package dev.sluice.vfiouser.transport;

import java.io.IOException;

/// What a client attached to a message: memory that it shares, or an event to signal. Over a UNIX
/// socket a file descriptor.
///
/// Whoever receives an attachment closes it, used or not.
public interface Attachment extends AutoCloseable {
  /// Maps a part of the memory that this stands for. The attachment may be closed afterwards.
  ///
  /// @param offset bytes from the start of the shared memory
  /// @param length bytes
  /// @param writable whether the bytes will be written
  /// @throws IOException a [dev.sluice.host.SystemCallException] with the errno to tell the client,
  ///   when it is no memory, does not reach that far or does not give the right
  SharedBytes map(long offset, long length, boolean writable) throws IOException;

  /// Takes the event that this stands for. On success the event is the caller's to close, and
  /// closing the attachment does nothing any more.
  ///
  /// @throws IOException a [dev.sluice.host.SystemCallException] with the errno to tell the client,
  ///   when it is no event
  Event takeEvent() throws IOException;

  /// Gives the attachment up; a second call does nothing.
  @Override
  void close();
}
