package dev.sluice.dma;

import dev.sluice.memory.Access;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import org.jspecify.annotations.Nullable;

/// A range of guest memory as one run of bytes: what [DmaContext#mapWhole] gives.
///
/// It is a [Mapping], which is the memory itself, wherever the whole range is contiguous RAM. Else
/// it is a *bounce mapping*, a buffer of this process that has a copy:
///
/// - filled when it was made, if it is for reading: what the guest writes later is not seen;
/// - written back when it ends, if it is for writing: in ascending order, exactly the bytes that
///   were written to it, so that what the device left alone keeps what the guest wrote meanwhile.
///   The tables of *that* moment decide where they go and whether they may. The first byte that is
///   refused ends the write-back, and the guest finds the fault where it finds those of writes;
/// - no way into guest memory in between, so no invalidation and no removal of memory waits for it,
///   and no deadline takes it away. Only the end of its context does.
///
/// How a device learns what was refused: [#unmap] ends the mapping and returns it. A mapping that
/// ends by [#close()] instead, by try-with-resources when an exception passes, hands a refusal to
/// the context's [DmaContext#onRefusedWriteBack], as nobody is there to be asked; `unmap()` can
/// still be called for it afterwards.
///
/// ```java
/// try (MappedMemory data = ...) {
///   data.readFrom(file, position, 0, length);
///   TargetAbort refused = data.unmap();
///   return refused == null ? SUCCESS : DATA_TRANSFER_ERROR;
/// }
/// ```
///
/// Any thread may use it. Using it after its end ([MappingClosedException]) or after it was taken
/// away ([MappingRevokedException]) touches nothing. A write that the end overtakes throws, and
/// makes no byte be written back that had not been written before.
public sealed interface MappedMemory extends WholeResult, AutoCloseable
    permits Mapping, BounceMapping {
  /// I/O virtual address of its first byte.
  long iova();

  /// Bytes.
  long length();

  /// What it may be used for.
  Access access();

  /// Whether it may still be used. It may be taken away at any moment after the answer.
  boolean isLive();

  /// Copies bytes out, into `into` from `intoOffset` on.
  ///
  /// @param into where the memory is taken away meanwhile it has undefined contents
  void read(long offset, MemorySegment into, long intoOffset, long bytes);

  /// Copies bytes in, from `from` at `fromOffset` on.
  void write(long offset, MemorySegment from, long fromOffset, long bytes);

  /// Sets bytes to `value`.
  void fill(long offset, long bytes, byte value);

  /// Loads 1, 2, 4 or 8 bytes, zero-extended. Aligned in host memory, it is a single access with
  /// acquire order.
  long load(long offset, int size, ByteOrder order);

  /// Stores the low 1, 2, 4 or 8 bytes of `value`. Aligned in host memory, it is a single access
  /// with release order.
  void store(long offset, int size, ByteOrder order, long value);

  /// Lets the kernel read a file straight into the memory.
  ///
  /// @param position byte in the file
  /// @param offset byte in this memory
  /// @param bytes how many
  /// @return bytes read, -1 at the end of the file
  int readFrom(FileChannel file, long position, long offset, int bytes) throws IOException;

  /// Lets the kernel write a part of the memory straight to a file.
  ///
  /// @param position byte in the file
  /// @param offset byte in this memory
  /// @param bytes how many
  /// @return bytes written
  int writeTo(FileChannel file, long position, long offset, int bytes) throws IOException;

  /// Ends it, as [#close()] does, and says what the guest's memory refused of what was written. May
  /// be called again, and after `close()`: the answer stays.
  ///
  /// @return null when nothing was refused; else the first byte that was, with the written bytes
  ///   before it as moved. Neither it nor anything after it was written
  /// @throws IllegalStateException while another thread is just ending it
  @Nullable TargetAbort unmap();

  /// Ends it. A second call does nothing.
  @Override
  void close();
}
