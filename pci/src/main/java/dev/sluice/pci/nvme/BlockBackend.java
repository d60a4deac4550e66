package dev.sluice.pci.nvme;

import dev.sluice.dma.Mapping;
import java.io.IOException;
import java.nio.ByteBuffer;

/// Where the bytes of a namespace are kept.
///
/// Called by several worker threads at once, which may wait in it; a guest orders what must be
/// ordered, by waiting for completions. A transfer moves all of its bytes or throws. What a write
/// that has returned left is seen by every later read; it outlasts a power failure only after
/// [#flush()].
public interface BlockBackend extends AutoCloseable {
  /// Bytes.
  long size();

  /// Whether writes are possible at all.
  boolean writable();

  /// Fills the rest of `into` with the bytes from `position` on.
  ///
  /// @throws IOException if not all of them could be read
  void read(long position, ByteBuffer into) throws IOException;

  /// Stores the rest of `from` from `position` on.
  ///
  /// @throws IOException if not all of it could be written
  void write(long position, ByteBuffer from) throws IOException;

  /// Moves `length` bytes from `position` on into guest memory, without a copy in between where
  /// possible.
  ///
  /// @param offset where in the mapping
  /// @throws IOException if not all of them could be read
  void read(long position, Mapping into, long offset, int length) throws IOException;

  /// Moves `length` bytes of guest memory to `position`, without a copy in between where possible.
  ///
  /// @param offset where in the mapping
  /// @throws IOException if not all of them could be written
  void write(long position, Mapping from, long offset, int length) throws IOException;

  /// Makes what was written before this call outlast a power failure.
  ///
  /// @throws IOException if that is not certain; then no later call may claim it for the same bytes
  void flush() throws IOException;

  /// A hint that the guest does not need these bytes any more. They keep their value unless a
  /// backend has better use for their room, in which case they read as zero.
  default void deallocate(long position, long length) throws IOException {}

  @Override
  void close() throws IOException;
}
