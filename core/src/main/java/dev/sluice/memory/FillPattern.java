package dev.sluice.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// Ready pages to fill from: copying a page is several times faster than setting its bytes one by
/// one, and zero is the value that nearly every fill has.
///
/// A page for another value is made when it is first asked for and kept: 256 values, so 1 MiB at
/// the most.
final class FillPattern {
  private static final long ZEROS_SIZE = 64 * 1024;
  private static final MemorySegment ZEROS = pages(ZEROS_SIZE, (byte) 0);
  private static final AtomicReferenceArray<@Nullable MemorySegment> OTHERS =
      new AtomicReferenceArray<>(256);

  private FillPattern() {}

  static MemorySegment of(byte value) {
    if (value == 0) {
      return ZEROS;
    }
    int index = Byte.toUnsignedInt(value);
    MemorySegment known = OTHERS.get(index);
    if (known != null) {
      return known;
    }
    MemorySegment made = pages(GuestMemory.PAGE, value);
    // Whoever was first: the loser's page goes with the garbage.
    MemorySegment before = OTHERS.compareAndExchange(index, null, made);
    return before == null ? made : before;
  }

  private static MemorySegment pages(long size, byte value) {
    return Arena.ofAuto().allocate(size, GuestMemory.PAGE).fill(value).asReadOnly();
  }
}
