package dev.sluice.models.walk;

import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.RamWindow;
import dev.sluice.memory.Word;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/// Guest memory as a table walk sees it: aligned 8-byte little-endian entries, in RAM.
///
/// A walk runs inside a device's access section and must not block, so tables that are reached by
/// messages only count as unreadable.
public final class TableMemory {
  private final GuestMemory memory;

  /// Tables in `memory`.
  public TableMemory(GuestMemory memory) {
    this.memory = memory;
  }

  /// The RAM that holds the entry at `address`, for a walk to load it and others from.
  ///
  /// @return null when there is none
  @Nullable RamWindow window(long address) {
    RamWindow window = memory.window(address);
    return window != null && window.holds(address) ? window : null;
  }

  /// Whether the entry at `address` can be loaded: for who met [RamWindow#ALL_ONES], which may be
  /// what stands there.
  boolean isReadable(long address) {
    return load(address, new Word());
  }

  /// Loads one entry, whole.
  ///
  /// @param address a multiple of 8
  /// @return false when there is no RAM at the address, or it went away
  public boolean load(long address, Word into) {
    return memory.holdStatusAt(address, Access.READ) == MemoryStatus.OK
        && memory.load(address, Long.BYTES, ByteOrder.LITTLE_ENDIAN, into) == MemoryStatus.OK;
  }
}
