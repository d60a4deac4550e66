package dev.sluice.models.walk;

import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.MemoryStatus;
import dev.sluice.memory.Ram;
import dev.sluice.memory.RamWindow;
import dev.sluice.memory.Word;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/// Guest memory as a table walk sees it: aligned 8-byte little-endian entries, in RAM.
///
/// A walk runs inside a device's access section and must not block, so tables that are reached by
/// messages only count as unreadable.
public final class TableMemory {
  private final GuestMemory memory;

  /// The region in which the first table was found. Read and written without order: whatever is
  /// here is asked whether it counts.
  private @Nullable RamWindow usual;

  /// Tables in `memory`.
  public TableMemory(GuestMemory memory) {
    this.memory = memory;
  }

  /// The RAM in which tables mostly are, to be tried first; null when that is not known.
  @Nullable RamWindow usual() {
    RamWindow window = usual;
    return window != null && window.isPlaced() ? window : null;
  }

  /// The RAM that holds the entry at `address`, for a walk to load it and others from.
  ///
  /// @return null when there is none
  @Nullable RamWindow window(long address) {
    RamWindow window = memory.window(address);
    if (window == null || !window.holds(address)) {
      return null;
    }
    RamWindow known = usual;
    if (known == null || !known.isPlaced()) {
      // Not with every table elsewhere: threads would take the line from each other.
      usual = window;
    }
    return window;
  }

  /// The RAM address of a page of 4 KiB, as [GuestMemory#ramAddress], found fast where the tables
  /// are.
  ///
  /// @param of whose RAM address: a device may reach another memory than the tables are in, and
  ///   another number there is another region
  /// @param address a multiple of 4 KiB
  public long ramAddress(GuestMemory of, long address, boolean write) {
    RamWindow window = of == memory ? usual() : null;
    long found = window == null ? Ram.NOWHERE : window.ramAddress(address, write);
    return found != Ram.NOWHERE ? found : of.ramAddress(address, GuestMemory.PAGE, write);
  }

  /// The entry at `address`, for walks of few steps, or of entries that are parts of these 8 bytes.
  /// What is read after it is read after the entry. Allocates nothing.
  ///
  /// @param address a multiple of 8
  /// @return [RamWindow#ALL_ONES] also when it cannot be loaded: [#isReadable] tells
  public long entry(long address) {
    RamWindow window = usual();
    if (window == null || !window.holds(address)) {
      window = window(address);
      if (window == null) {
        return RamWindow.ALL_ONES;
      }
    }
    long entry = window.load(address);
    VarHandle.acquireFence();
    return entry;
  }

  /// Whether the entry at `address` can be loaded: for who met [RamWindow#ALL_ONES], which may be
  /// what stands there.
  public boolean isReadable(long address) {
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
