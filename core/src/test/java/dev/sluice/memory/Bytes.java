package dev.sluice.memory;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/// Buffers for tests.
public final class Bytes {
  private Bytes() {}

  /// A shared arena that the region over it, or the test itself, closes.
  @SuppressWarnings("MustBeClosed")
  public static Arena arena() {
    return Arena.ofShared();
  }

  /// Zeros.
  public static MemorySegment zeros(long size) {
    return Arena.ofAuto().allocate(size);
  }

  /// Bytes that depend on `seed` and place, so that what is moved to the wrong place is seen.
  public static MemorySegment noise(long size, int seed) {
    MemorySegment made = zeros(size);
    SplittableRandom random = new SplittableRandom(seed);
    for (long i = 0; i < size; i++) {
      made.set(JAVA_BYTE, i, (byte) random.nextInt());
    }
    return made;
  }

  /// What `memory` has at `address`.
  public static byte[] at(GuestMemory memory, long address, int length) {
    byte[] bytes = new byte[length];
    long moved = memory.read(address, MemorySegment.ofArray(bytes), 0, length);
    if (moved != length) {
      throw new AssertionError("only " + moved + " of " + length + " bytes can be read");
    }
    return bytes;
  }

  public static byte[] array(MemorySegment segment) {
    return segment.toArray(JAVA_BYTE);
  }
}
