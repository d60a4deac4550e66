package dev.sluice.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Ready pages to fill from: copying a page is several times faster than setting its bytes one by
/// one, and zero is the value that nearly every fill has.
final class FillPattern {
  private static final long SIZE = 64 * 1024;
  private static final MemorySegment ZEROS =
      Arena.global().allocate(SIZE, GuestMemory.PAGE).asReadOnly();

  private FillPattern() {}

  static MemorySegment of(byte value) {
    if (value == 0) {
      return ZEROS;
    }
    return Arena.ofAuto().allocate(GuestMemory.PAGE, GuestMemory.PAGE).fill(value).asReadOnly();
  }
}
