package dev.sluice.models.spapr;

import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.Word;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// The list of a H_PUT_TCE_INDIRECT, copied from the guest before anything is checked, so that the
/// guest cannot change it in between.
final class TceList {
  /// The most entries: what fits a page of 4 KiB.
  static final int MAX_ENTRIES = 512;

  private final long[] entries = new long[MAX_ENTRIES];
  private final Word word = new Word();

  private TceList() {}

  /// One list is kept for the next call; processors that call at the same time make their own.
  static final class Spare {
    private final AtomicReference<@Nullable TceList> spare = new AtomicReference<>(new TceList());

    TceList take() {
      TceList list = spare.getAndSet(null);
      return list == null ? new TceList() : list;
    }

    void giveBack(TceList list) {
      spare.set(list);
    }
  }

  /// Copies the list. Does not wait for memory that is reached by messages only: such a list counts
  /// as unreadable.
  ///
  /// @param address a multiple of 4 KiB
  /// @param count at most [#MAX_ENTRIES]
  /// @return H_SUCCESS; H_PARAMETER when the partition has no memory there; H_HARDWARE when it has,
  ///   but it cannot be read
  long copy(GuestMemory memory, long address, int count) {
    for (int i = 0; i < count; i++) {
      long at = address + (long) i * Long.BYTES;
      MemoryStatus status = memory.holdStatusAt(at, Access.READ);
      if (status == MemoryStatus.OK) {
        status = memory.load(at, Long.BYTES, ByteOrder.BIG_ENDIAN, word);
      }
      if (status != MemoryStatus.OK) {
        return status == MemoryStatus.HOLE ? ReturnCode.H_PARAMETER : ReturnCode.H_HARDWARE;
      }
      entries[i] = word.asLong();
    }
    return ReturnCode.H_SUCCESS;
  }

  long get(int index) {
    return entries[index];
  }
}
