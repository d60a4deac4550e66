package dev.sluice.models.spapr;

import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.Word;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/// The argument buffer of an RTAS call in guest memory, LoPAR "RTAS Argument Call Buffer": cells of
/// 32 bits, big-endian.
///
/// ```
///  0      4          8           12                   12 + 4 * inputs
/// +------+----------+-----------+--------------------+---------------------+
/// | token| inputs   | outputs   | inputs ...         | outputs ...         |
/// +------+----------+-----------+--------------------+---------------------+
/// ```
///
/// Neither reading nor writing it waits for memory that only messages reach; such a buffer counts
/// as unreadable.
final class RtasArguments {
  /// The most cells of either kind. The calls here take 6; LoPAR's longest stay below it too.
  private static final int MAX_CELLS = 16;

  private static final int HEADER_CELLS = 3;

  private final int token;
  private final int[] inputs;
  private final int[] outputs;
  private final long outputsAt;

  private RtasArguments(int token, int[] inputs, int[] outputs, long outputsAt) {
    this.token = token;
    this.inputs = inputs;
    this.outputs = outputs;
    this.outputsAt = outputsAt;
  }

  /// Reads the buffer at a guest-physical address.
  ///
  /// @return null when the buffer cannot be read, or its outputs cannot be written, or it has more
  ///   cells than any call
  static @Nullable RtasArguments read(GuestMemory memory, long address) {
    int[] header = cells(memory, address, HEADER_CELLS);
    if (header == null || !isCount(header[1]) || !isCount(header[2])) {
      return null;
    }
    long inputsAt = address + HEADER_CELLS * Integer.BYTES;
    int[] inputs = cells(memory, inputsAt, header[1]);
    long outputsAt = inputsAt + (long) header[1] * Integer.BYTES;
    return inputs == null || !areWritable(memory, outputsAt, header[2])
        ? null
        : new RtasArguments(header[0], inputs, new int[header[2]], outputsAt);
  }

  /// So that no call is made whose outcome the guest would not learn.
  private static boolean areWritable(GuestMemory memory, long address, int count) {
    for (int i = 0; i < count; i++) {
      if (memory.holdStatusAt(address + (long) i * Integer.BYTES, Access.WRITE)
          != MemoryStatus.OK) {
        return false;
      }
    }
    return true;
  }

  private static boolean isCount(int cells) {
    return cells >= 0 && cells <= MAX_CELLS;
  }

  private static int @Nullable [] cells(GuestMemory memory, long address, int count) {
    int[] cells = new int[count];
    Word word = new Word();
    for (int i = 0; i < count; i++) {
      long at = address + (long) i * Integer.BYTES;
      if (memory.holdStatusAt(at, Access.READ) != MemoryStatus.OK
          || memory.load(at, Integer.BYTES, ByteOrder.BIG_ENDIAN, word) != MemoryStatus.OK) {
        return null;
      }
      cells[i] = word.asInt();
    }
    return cells;
  }

  /// Which call it is.
  int token() {
    return token;
  }

  /// The input cells.
  int[] inputs() {
    return inputs;
  }

  /// The output cells, to be filled in.
  int[] outputs() {
    return outputs;
  }

  /// Writes the outputs.
  ///
  /// @return false when they cannot all be written
  boolean store(GuestMemory memory) {
    for (int i = 0; i < outputs.length; i++) {
      long at = outputsAt + (long) i * Integer.BYTES;
      if (memory.holdStatusAt(at, Access.WRITE) != MemoryStatus.OK
          || memory.store(at, Integer.BYTES, ByteOrder.BIG_ENDIAN, outputs[i]) != MemoryStatus.OK) {
        return false;
      }
    }
    return true;
  }
}
