package dev.sluice.vfiouser.transport;

import dev.sluice.host.Errno;
import dev.sluice.host.SystemCallException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/// Memory of this process beside a message of an [InMemoryTransport]. It may be sent any number of
/// times.
///
/// @param bytes what a client shares; stays its owner's, which keeps it alive while a server may
///   use it
public record LocalMemory(MemorySegment bytes) implements Attachment {
  @Override
  public SharedBytes map(long offset, long length, boolean writable) throws IOException {
    if (offset < 0 || length <= 0 || offset > bytes.byteSize() - length) {
      throw new SystemCallException(
          "mmap", Errno.EINVAL, "map " + length + " bytes at offset " + offset + " of " + this);
    }
    MemorySegment part = bytes.asSlice(offset, length);
    return new SharedBytes(writable ? part : part.asReadOnly(), true, () -> {});
  }

  @Override
  public Event takeEvent() throws IOException {
    throw new SystemCallException("eventfd", Errno.EINVAL, "use memory as an event");
  }

  @Override
  public void close() {}
}
